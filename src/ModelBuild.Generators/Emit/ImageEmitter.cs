using System.Globalization;

namespace ModelBuild.Generators;

/// <summary>Writes the overload that takes pixels, where the item says how images become the input.</summary>
internal static class ImageEmitter
{
    /// <summary>Writes the method and the transform that it uses.</summary>
    public static void Emit(SourceWriter writer, Wrapper wrapper)
    {
        if (wrapper.Signature.Image is not { } image)
            return;
        var dimensions = wrapper.Inputs[0].Signature.Dimensions!.Value;
        var channelsFirst = image.Layout == "nchw";
        var (channels, height, width) = channelsFirst ? (dimensions[1].Size, dimensions[2].Size, dimensions[3].Size)
            : (dimensions[3].Size, dimensions[1].Size, dimensions[2].Size);
        writer.Member();
        writer.Line("private static readonly global::ModelBuild.ImageTransform Pixels = new global::ModelBuild.ImageTransform(");
        writer.Continued($"{width}, {height}, {channels}, {(channelsFirst ? "true" : "false")}, "
            + $"global::ModelBuild.ImageResize.{char.ToUpperInvariant(image.Resize[0])}{image.Resize.Substring(1)}, {Numbers(image.Mean)}, "
            + $"{Numbers(image.Scale)}, {(image.Order == "bgr" ? "true" : "false")});");
        writer.Member();
        writer.Line("/// <summary>Runs the model on an image, resized and normalised as the calibration images were.</summary>");
        writer.Line("/// <param name=\"rgb\">Red, green and blue of each pixel, rows from the top, without padding.</param>");
        writer.Line("/// <param name=\"width\">The image's width in pixels.</param>");
        writer.Line("/// <param name=\"height\">The image's height in pixels.</param>");
        writer.Line("/// <returns>The outputs, each with its shape.</returns>");
        writer.Line("/// <exception cref=\"global::System.ArgumentException\">The number of bytes is not 3 for each pixel.</exception>");
        writer.Block("public Output Predict(global::System.ReadOnlySpan<byte> rgb, int width, int height)", () =>
        {
            writer.Line($"float[] pixels = new float[{CSharpText.Number(channels * height * width)}];");
            writer.Line("Pixels.Apply(rgb, width, height, pixels);");
            writer.Line("return Predict("
                + $"{string.Join(", ", new[] { "(global::System.ReadOnlySpan<float>)pixels" }.Concat(wrapper.Symbols.Select(_ => "1")))});");
        });
    }

    private static string Numbers(IEnumerable<double> numbers) =>
        $"new double[] {{ {string.Join(", ", numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)))} }}";
}
