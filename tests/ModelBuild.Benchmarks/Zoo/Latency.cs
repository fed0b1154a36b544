using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Benchmarks;

/// <summary>How long a model takes in ONNX Runtime.</summary>
internal static class Latency
{
    private const int Rounds = 25;

    /// <summary>Median nanoseconds of a call on made-up numbers, through the code that an app calls it with; named dimensions are 1.</summary>
    public static double Of(Model model)
    {
        OnnxRuntimeBackend.Register();
        using PreparedModel prepared = PreparedModel.Open(OnnxWriter.ToBytes(model), DescriptionBuilder.Of(model.Graph), BackendRegistry.Find("onnxruntime")!);
        return Interleaved.Median(Interleaved.Measure([prepared.Call], Rounds, default)[0]);
    }
}
