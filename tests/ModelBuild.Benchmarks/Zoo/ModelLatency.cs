using System.Diagnostics;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Benchmarks;

/// <summary>How long one call of a model takes in ONNX Runtime on one thread, through the code that an app calls it with.</summary>
internal static class ModelLatency
{
    private const int Rounds = 25;

    /// <summary>Median nanoseconds of a call on made-up numbers; named dimensions are 1.</summary>
    public static double Of(Model model)
    {
        byte[] bytes = OnnxWriter.ToBytes(model);
        ModelDescription description = DescriptionBuilder.Of(model.Graph);
        using LoadedModel loaded = LoadedModel.FromArtifact(ModelArtifact.FromStream("memory", "", () => new MemoryStream(bytes, false)), description, OnnxRuntimeBackend.Instance);
        ModelContext context = loaded.Rent();
        long[] ones = new long[description.Symbols.Length];
        Array.Fill(ones, 1);
        context.Prepare(ones);
        for (int i = 0; i < description.Inputs.Length; i++)
        {
            Span<float> input = context.Input<float>(i);
            for (int j = 0; j < input.Length; j++) input[j] = MathF.Sin(j * 12.9898f) * 0.5f;
        }
        Stopwatch warm = Stopwatch.StartNew();
        int calls = 0;
        for (; warm.ElapsedMilliseconds < 150 || calls < 5; calls++) context.Run();
        int each = (int)Math.Clamp(4e6 / (warm.Elapsed.TotalNanoseconds / calls), 1, 100_000);
        List<double> times = [];
        for (int r = 0; r < Rounds; r++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int n = 0; n < each; n++) context.Run();
            times.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / each);
        }
        loaded.Return(context);
        times.Sort();
        return times[Rounds / 2];
    }
}
