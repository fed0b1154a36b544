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
        byte[] artifact = OnnxWriter.ToBytes(model);
        ModelDescription description = DescriptionBuilder.Of(model.Graph);
        using PreparedModel prepared = new(LoadedModel.FromArtifact(ModelArtifact.FromStream("memory", "", () => new MemoryStream(artifact, false)), description, BackendRegistry.Find("onnxruntime")!), description, null);
        return Interleaved.Median(Interleaved.Measure([prepared.Call], Rounds, default)[0]);
    }
}
