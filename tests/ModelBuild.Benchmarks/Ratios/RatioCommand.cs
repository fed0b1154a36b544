using System.Globalization;
using ModelBuild.Compiler.Measuring;

namespace ModelBuild.Benchmarks;

/// <summary>The command <c>ratios</c>: for each topic, our time over ONNX Runtime's. Below 1 is faster.</summary>
internal static class RatioCommand
{
    private static readonly Dictionary<string, Func<IEnumerable<Func<Comparison>>>> Topics = new()
    {
        ["dense-f32"] = () => from s in Sizes(
                (1, 64, 64), (1, 256, 256), (1, 784, 128), (1, 1024, 1024), (1, 768, 3072), (4, 768, 768), (8, 768, 768), (16, 768, 768), (32, 768, 768),
                    (128, 768, 768), (32, 256, 256), (7, 256, 100))
            select (Func<Comparison>)(() => Layers.Float($"{s.M}x{s.K}x{s.N}", s.M, [s.K, s.N], softmax: false)),
        // Where a CPU has no dot products of bytes, or .NET does not give them, weights of 7 bits are a form of their own.
        ["dense-int7"] = () => from s in Sizes((1, 64, 64), (1, 256, 256), (1, 784, 128), (1, 1024, 1024), (1, 768, 3072), (4, 768, 768), (16, 768, 768),
            (128, 768, 768))
            select (Func<Comparison>)(() => Layers.Integer($"{s.M}x{s.K}x{s.N}", s.M, [s.K, s.N], bits: 7)),
        ["dense-int8"] = () => from s in Sizes((1, 64, 64), (1, 256, 256), (1, 784, 128), (1, 1024, 1024), (1, 768, 3072), (4, 768, 768), (16, 768, 768),
            (128, 768, 768))
            select (Func<Comparison>)(() => Layers.Integer($"{s.M}x{s.K}x{s.N}", s.M, [s.K, s.N])),
        ["softmax"] = () => from s in Sizes((1, 10, 0), (1, 1000, 0), (64, 128, 0), (128, 1000, 0)) select (Func<Comparison>)(() => Layers.Softmax(s.M, s.K)),
        ["nets"] = () =>
        [
            () => Layers.Float("MLP 16-32-16-4", 1, [16, 32, 16, 4], softmax: true),
            () => Layers.Float("MLP 784-128-64-10", 1, [784, 128, 64, 10], softmax: true),
            () => Layers.Float("MLP 784-128-64-10, 32 rows", 32, [784, 128, 64, 10], softmax: true),
            () => Layers.Integer("int8 MLP 784-128-64-10", 1, [784, 128, 64, 10]),
            () => Layers.Integer("int8 autoencoder 640-128-128-8-128-128-640", 1, [640, 128, 128, 8, 128, 128, 640]),
        ],
        ["wrapper"] = () => [() => WrapperOverhead.Layers("MatMul 1x16x16", 1, 16), () => WrapperOverhead.Layers("MatMul 1x256x256", 1, 256),
            () => WrapperOverhead.Layers("MatMul 32x256x256", 32, 256)],
    };

    public static int Run(string[] arguments)
    {
        var write = arguments.Contains("--write");
        string[] topics = [.. arguments.Where(a => a != "--write")];
        if (topics.Except(Topics.Keys).FirstOrDefault() is { } unknown)
        {
            Console.Error.WriteLine($"no topic '{unknown}'; topics are {string.Join(", ", Topics.Keys)}");
            return 2;
        }
        Cores.PinToOne();
        var right = true;
        foreach ((var topic, Func<IEnumerable<Func<Comparison>>> comparisons) in Topics.Where(t => topics.Length == 0 || topics.Contains(t.Key)))
        {
            List<string> lines = ["| work | ours | ONNX Runtime | ratio | bytes per call |", "|---|---:|---:|---:|---:|"];
            Console.WriteLine($"{topic} ({CpuFeatureDetection.Class})");
            foreach (Func<Comparison> create in comparisons())
            {
                using Comparison comparison = create();
                comparison.Ours();
                comparison.Theirs();
                // Integer results may differ by one step of the output, float results by the order of sums.
                var difference = comparison.Difference();
                (var ours, var theirs) = comparison.Times();
                var line = string.Create(CultureInfo.InvariantCulture,
                    $"| {comparison.Name} | {Time(ours)} | {Time(theirs)} | {ours / theirs:0.00} | {Allocated(comparison.Ours)} |");
                lines.Add(line);
                Console.WriteLine(difference > 0.02 ? $"{line} WRONG: results differ by {difference}" : line);
                right &= difference <= 0.02;
            }
            if (write) ResultsFile.Replace(topic, lines);
        }
        return right ? 0 : 1;
    }

    /// <summary>Bytes of managed memory that a call allocates.</summary>
    internal static long Allocated(Action call)
    {
        const int calls = 100;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < calls; i++) call();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / calls;
    }

    private static IEnumerable<(int M, int K, int N)> Sizes(params (int M, int K, int N)[] sizes) => sizes;

    private static string Time(double nanoseconds) => nanoseconds < 10_000
        ? string.Create(CultureInfo.InvariantCulture, $"{nanoseconds:0} ns") : string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1000:0.0} µs");
}
