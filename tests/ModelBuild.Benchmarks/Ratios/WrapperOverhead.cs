using ModelBuild.TestModels;

namespace ModelBuild.Benchmarks;

/// <summary>The onnxruntime backend as a generated class calls it, against the same session driven by hand.</summary>
internal static class WrapperOverhead
{
    public static Comparison Layers(string name, int rows, int width)
    {
        Random random = new(1);
        var input = Benchmarks.Layers.Floats(random, rows * width, 1);
        var model = new OnnxWriter().Input("x", ModelElementType.Float, rows, width).Output("y", ModelElementType.Float, rows, width)
            .Constant<float>("w", Benchmarks.Layers.Floats(random, width * width, 0.1f), width, width).Node("MatMul", ["x", "w"], ["y"]).ToArray();
        HandWritten theirs = new(model, input, [rows, width], [rows, width]);
        Wrapped ours = new(model, OnnxRuntimeBackend.Instance, input, [rows, width], [rows, width]);
        return new Comparison(name, ours.Call, theirs.Call, () => Benchmarks.Layers.Difference(ours.Output, theirs.Output)).Owning(ours, theirs);
    }
}
