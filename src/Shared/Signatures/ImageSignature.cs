namespace ModelBuild.Shared;

/// <summary>How 8-bit pixels become the model's input.</summary>
/// <param name="Resize"><c>crop</c>, <c>fit</c> or <c>stretch</c>.</param>
/// <param name="Mean">Subtracted from each channel (0 to 255), in the model's channel order; one value or one a channel.</param>
/// <param name="Scale">Multiplied with the difference; one value or one a channel.</param>
/// <param name="Order"><c>rgb</c> or <c>bgr</c>: the order of channels in the model's input.</param>
/// <param name="Layout"><c>nchw</c> or <c>nhwc</c>.</param>
internal sealed record ImageSignature(string Resize, EquatableArray<double> Mean, EquatableArray<double> Scale, string Order, string Layout);
