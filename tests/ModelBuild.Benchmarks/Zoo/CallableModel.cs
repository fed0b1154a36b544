using System.Diagnostics;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Benchmarks;

/// <summary>A model ready to be called again and again on made-up numbers, through the code that an app calls it with; named dimensions are 1.</summary>
internal sealed class CallableModel : IDisposable
{
    private const int Rounds = 25;
    private readonly LoadedModel _loaded;
    private readonly ModelContext _context;

    public CallableModel(byte[] artifact, ModelDescription description, string backend)
    {
        OnnxRuntimeBackend.Register();
        _loaded = LoadedModel.FromArtifact(ModelArtifact.FromStream("memory", "", () => new MemoryStream(artifact, false)), description, BackendRegistry.Find(backend)!);
        _context = _loaded.Rent();
        long[] ones = new long[description.Symbols.Length];
        Array.Fill(ones, 1);
        _context.Prepare(ones);
        for (int i = 0; i < description.Inputs.Length; i++)
        {
            Span<float> input = _context.Input<float>(i);
            for (int j = 0; j < input.Length; j++) input[j] = MathF.Sin(j * 12.9898f) * 0.5f;
        }
    }

    public void Call() => _context.Run();

    /// <summary>Median nanoseconds of a call of a model in ONNX Runtime.</summary>
    public static double Latency(Model model)
    {
        using CallableModel callable = new(OnnxWriter.ToBytes(model), DescriptionBuilder.Of(model.Graph), "onnxruntime");
        Stopwatch warm = Stopwatch.StartNew();
        int calls = 0;
        for (; warm.ElapsedMilliseconds < 150 || calls < 5; calls++) callable.Call();
        int each = (int)Math.Clamp(4e6 / (warm.Elapsed.TotalNanoseconds / calls), 1, 100_000);
        List<double> times = [];
        for (int r = 0; r < Rounds; r++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int n = 0; n < each; n++) callable.Call();
            times.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / each);
        }
        times.Sort();
        return times[Rounds / 2];
    }

    public void Dispose()
    {
        _loaded.Return(_context);
        _loaded.Dispose();
    }
}
