using ModelBuild.Shared;

namespace ModelBuild.Generators.Tests.Support;

/// <summary>Signatures for tests.</summary>
internal static class Signatures
{
    public static ModelSignature Create(string name, TensorSignature[] inputs, TensorSignature[] outputs) => new()
    {
        Model = $"Models/{name}.onnx",
        Class = name,
        Namespace = "App.Models",
        Accessibility = "internal",
        Assembly = "App",
        Profiles = new[] { "x64-avx2", "portable" }.ToEquatableArray(),
        Embed = false,
        Inputs = inputs.ToEquatableArray(),
        Outputs = outputs.ToEquatableArray(),
    };

    /// <summary>A tensor; dimensions are numbers, names, or "?" for unnamed.</summary>
    public static TensorSignature Tensor(string name, string type, params object[] dimensions) => new(name, type, dimensions.Select(d => d switch
    {
        int size => SignatureDimension.Constant(size),
        "?" => SignatureDimension.Unnamed,
        _ => SignatureDimension.Named((string)d),
    }).ToEquatableArray());

    /// <summary>A batch of images to scores.</summary>
    public static ModelSignature MobileNet => Create("MobileNet", [Tensor("image", "float", "batch", 3, 224, 224)], [Tensor("scores", "float", "batch", 1000)]);
}
