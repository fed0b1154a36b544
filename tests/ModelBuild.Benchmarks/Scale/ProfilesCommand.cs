using System.Diagnostics;
using System.Globalization;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>What further profiles cost: a model compressed for two and for eight, from nothing, in turn. What profiles share is done once.</summary>
internal static class ProfilesCommand
{
    private const int Rounds = 3;

    private static readonly string[] Two = ["x64-avx512vnni", "x64-avx2"];

    private static readonly string[] Eight = [.. Two, "x64-avx512", "x64-avxvnni", "arm64", "portable", "wasm-simd", "host"];

    public static int Run(IReadOnlyList<string> arguments)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("the models of docs/zoo.md are not here");
            return 1;
        }
        var write = arguments.Contains("--write");
        List<string> table = ["| model | 2 profiles | 8 profiles | ratio |", "|---|---:|---:|---:|"];
        foreach (var name in arguments.Where(a => a != "--write").DefaultIfEmpty("mobilenet_v2"))
        {
            Seconds(name, Two);
            List<double> two = [], eight = [], ratios = [];
            for (var i = 0; i < Rounds; i++)
            {
                two.Add(Seconds(name, Two));
                eight.Add(Seconds(name, Eight));
                ratios.Add(eight[^1] / two[^1]);
            }
            table.Add(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {Interleaved.Median(two):0.0} s | {Interleaved.Median(eight):0.0} s | {Interleaved.Median(ratios):0.00} |"));
            Console.WriteLine(table[^1]);
        }
        if (write) ResultsFile.Replace("profiles", table, "profiles --write", "eight profiles over two, compressed from nothing");
        return 0;
    }

    private static double Seconds(string name, string[] profiles)
    {
        ZooModel zoo = ZooModel.Open(name);
        Stopwatch clock = Stopwatch.StartNew();
        ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        CompressionOptions options = new() { Profiles = [.. profiles.Select(BuiltInProfiles.Get)], CalibrationData = [zoo.Calibration],
            EvaluationData = [zoo.Evaluation], Measure = false };
        using Compressor compressor = new(source, options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);
        foreach (HardwareProfile profile in options.Profiles) compressor.Choose(profile);
        return clock.Elapsed.TotalSeconds;
    }
}
