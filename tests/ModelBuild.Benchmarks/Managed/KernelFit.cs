using System.Diagnostics;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Benchmarks;

/// <summary>
/// Fits the managed kernels' lines of a cost table to calls that were timed one by one within whole models: overhead, time per unit of work, and time per kilobyte
/// of constants, none below 0, with the least squared relative error. In the unit of the table: what ONNX Runtime's lines predict for the originals over what they
/// take here, in the middle of all models.
/// </summary>
internal sealed class KernelFit
{
    private const int Repeats = 15;
    private readonly List<(KernelWork Kernel, double Nanoseconds)> _calls = [];
    private readonly List<(int First, int Count, double Nanoseconds)> _models = [];

    /// <summary>Times the calls of a program.</summary>
    /// <param name="path">The artifact.</param>
    /// <param name="description">Its interface.</param>
    /// <param name="sample">What is fed.</param>
    /// <param name="nanoseconds">What the whole program takes in the unit of the table: what the original is predicted to take, times the ratio of both as
    /// measured; null for a model whose calls alone count.</param>
    public void Add(string path, ModelDescription description, Sample sample, double? nanoseconds)
    {
        var firstCall = _calls.Count;
        using ModelArtifact artifact = ModelArtifact.FromFile(path, "");
        using var session = (ManagedSession)ManagedBackend.Instance.Open(artifact, description, new ModelOptions());
        using var context = (ManagedContext)session.CreateContext();
        KernelTimes.Feed(context, description, sample);
        ShapePlan plan = session.Plan(KernelTimes.Symbols(description, sample));
        for (var c = 0; c < session.Program.Calls.Length; c++)
        {
            // Short calls are repeated: the clock ticks every few ten nanoseconds.
            var start = Stopwatch.GetTimestamp();
            context.RunCall(c);
            var repeats = (int)Math.Clamp(2e4 / Math.Max(50, Stopwatch.GetElapsedTime(start).TotalNanoseconds), 1, 200);
            var times = new double[Repeats];
            for (var r = 0; r < Repeats; r++)
            {
                start = Stopwatch.GetTimestamp();
                for (var i = 0; i < repeats; i++) context.RunCall(c);
                times[r] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / repeats;
            }
            _calls.Add((KernelWork.Of(session.Program, session.Program.Calls[c], plan.Calls[c].Shape), Interleaved.Median(times)));
        }
        if (nanoseconds is { } whole) _models.Add((firstCall, _calls.Count - firstCall, whole));
    }

    /// <summary>The table with the lines of all kernels that were timed.</summary>
    public CostTable Fit(CostTable table)
    {
        SortedDictionary<string, OperatorCost> costs = new(table.Costs, StringComparer.Ordinal);
        foreach (var kernel in _calls.GroupBy(c => c.Kernel.Kernel)) costs[Key(kernel.Key)] = Fit([.. kernel], 1);
        // Only ratios to ONNX Runtime are compared: whole models say how much of its time ours are. That also counts that a call by itself finds in the caches what
        // it left there, and within a model does not.
        double Priced(int call) => _calls[call].Kernel.Work is var w && costs[Key(_calls[call].Kernel.Kernel)] is var c
            ? c.Overhead + c.PerUnit * w.Units + c.PerWeight * w.Weights : 0;
        var pace = Interleaved.Median(_models.Select(m => m.Nanoseconds / Enumerable.Range(m.First, m.Count).Sum(Priced)));
        foreach (var kernel in _calls.GroupBy(c => c.Kernel.Kernel)) costs[Key(kernel.Key)] = Fit([.. kernel], pace);
        // What no model of the zoo runs is priced as arithmetic of two tensors is, until one does.
        foreach (Kernels.Kernel kernel in Kernels.KernelRegistry.All.Where(k => !costs.ContainsKey(Key(k.Name)))) costs[Key(kernel.Name)] = costs[Key("Binary")];
        // Tables are of classes without AVX-VNNI too, where our kernels of integers take three instructions for the two that they take here.
        if (CpuFeatureDetection.Current.HasFlag(CpuFeatures.AvxVnni))
            foreach (var key in costs.Keys.Where(IsInteger).ToList()) costs[key] = costs[key] with { PerUnit = Math.Round(costs[key].PerUnit * WithoutVnni, 6) };
        return table with { Costs = costs };
    }

    private const double WithoutVnni = 1.5;

    private static bool IsInteger(string key) => key.StartsWith(ManagedBackend.BackendName + "/", StringComparison.Ordinal)
        && key.EndsWith("/" + KernelWork.Precision, StringComparison.Ordinal) && key.Contains("Int8", StringComparison.Ordinal);

    private static string Key(string kernel) => $"{ManagedBackend.BackendName}/{kernel}/{KernelWork.Precision}";

    /// <summary>
    /// A table of another class with the kernels' lines, an estimate: they are as much slower there as ONNX Runtime's float convolutions are, which have the same
    /// instructions on every class; 8-bit kernels without dot products as much as its 8-bit convolutions.
    /// </summary>
    public static CostTable Follow(CostTable other, CostTable old, CostTable fitted)
    {
        double Slower(string key) => Math.Max(1, other.Costs[key].PerUnit / old.Costs[key].PerUnit);
        var (floats, integers) = (Slower("onnxruntime/conv/float32"), Slower("onnxruntime/conv/int8"));
        SortedDictionary<string, OperatorCost> costs = new(other.Costs, StringComparer.Ordinal);
        foreach (var (key, cost) in fitted.Costs.Where(c => c.Key.StartsWith(ManagedBackend.BackendName + "/", StringComparison.Ordinal)
            && c.Key.EndsWith("/" + KernelWork.Precision, StringComparison.Ordinal)))
        {
            var factor = !IsInteger(key) ? floats : other.CpuClass == "avxvnni" ? floats / WithoutVnni : integers;
            costs[key] = cost with { PerUnit = Math.Round(cost.PerUnit * factor, 6) };
        }
        return other with { Costs = costs, Version = other.Version + 1 };
    }

    private static OperatorCost Fit(IReadOnlyList<(KernelWork Kernel, double Nanoseconds)> calls, double pace)
    {
        // Three figures by coordinate descent, from those of one figure alone.
        double[][] shares = [.. calls.Select(c => new[] { 1, c.Kernel.Work.Units, c.Kernel.Work.Weights }.Select(v => v / Math.Max(1, c.Nanoseconds)).ToArray())];
        var x = new double[3];
        for (var round = 0; round < 2000; round++)
            for (var i = 0; i < 3; i++)
            {
                double above = 0, below = 1e-12;
                foreach (var s in shares)
                {
                    var rest = 1.0;
                    for (var k = 0; k < 3; k++)
                        if (k != i) rest -= s[k] * x[k];
                    above += s[i] * rest;
                    below += s[i] * s[i];
                }
                x[i] = Math.Max(0, above / below);
            }
        return new(Math.Round(x[0] * pace, 1), Math.Round(x[1] * pace, 6), PerWeight: Math.Round(x[2] * pace, 4));
    }
}
