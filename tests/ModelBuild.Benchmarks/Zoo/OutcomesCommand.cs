using System.Globalization;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// Compresses the zoo's models for the x64 profiles and records what was chosen, with its metrics, for this CPU class; times what this machine's profile gets
/// against the original in ONNX Runtime, interleaved on one core.
/// </summary>
internal static class OutcomesCommand
{
    public static int Run(IReadOnlyList<string> models)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("the models of docs/zoo.md are not here");
            return 1;
        }
        var file = Outcome.FileOf(CpuFeatureDetection.Class);
        List<Outcome> outcomes = File.Exists(file) ? [.. Outcome.Read(file)] : [];
        Cores.PinToOne();
        List<string> table = ["| model | optimize | recipe | backend | size | metric | loss | time over the original's |",
            "|---|---|---|---|---:|---|---:|---:|"];
        List<double> ratios = [];
        foreach (var model in models.Count > 0 ? models : ZooModel.All)
            foreach (Objective objective in new[] { Objective.Size, Objective.Latency })
            {
                var ratio = double.NaN;
                IReadOnlyList<Outcome> mine = Outcome.Of(model, objective, chosen =>
                {
                    if (chosen.Profile.Name == BuiltInProfiles.ThisMachine.Name) ratio = Ratio(model, chosen.Chosen.Candidate);
                });
                if (objective == Objective.Latency && double.IsFinite(ratio)) ratios.Add(ratio);
                if (mine.FirstOrDefault(o => o.Profile == BuiltInProfiles.ThisMachine.Name) is { } here)
                    table.Add(string.Create(CultureInfo.InvariantCulture,
                        $"| {model} | {here.Optimize} | {here.Recipe} | {here.Backend} | {(double)here.Bytes / here.OriginalBytes:0.000} | {here.Metric} | "
                        + $"{here.Loss:0.#####} | {ratio:0.00} |"));
                foreach (Outcome o in mine)
                    Console.WriteLine($"{o.Model} {o.Profile} {o.Optimize}: {o.Recipe} on {o.Backend}, {(double)o.Bytes / o.OriginalBytes:0.000} of the "
                        + $"size, {o.Metric} loss {o.Loss:0.#####}, predicted {o.PredictedRatio:0.00}x");
                outcomes.RemoveAll(o => o.Model == model && o.Optimize == mine[0].Optimize);
                outcomes.AddRange(mine);
                // After each model: a run that is stopped keeps what it has.
                Outcome.Write(file, outcomes);
            }
        if (ratios.Count > 0)
            table.AddRange(["", string.Create(CultureInfo.InvariantCulture,
                $"Time of what ships for latency over the original's, geometric mean of {ratios.Count} models: {Math.Exp(ratios.Average(Math.Log)):0.00}.")]);
        foreach (var line in table) Console.WriteLine(line);
        if (models.Count == 0) ResultsFile.Replace("zoo", table, "outcomes");
        return 0;
    }

    /// <summary>Time of a call of what was chosen over that of the original file in ONNX Runtime, on a sample of the evaluation data.</summary>
    private static double Ratio(string name, Candidate candidate)
    {
        OnnxRuntimeBackend.Register();
        ZooModel zoo = ZooModel.Open(name);
        ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        Sample sample = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")![0];
        using PreparedModel ours = PreparedModel.Open(candidate.Artifact.Path,
            DescriptionBuilder.Of((source.Simplified ?? source.Original).Graph, candidate.IsOriginal ? null : new byte[32]),
            BackendRegistry.Find(candidate.Backend)!, sample);
        using PreparedModel original = PreparedModel.Open(zoo.Model, DescriptionBuilder.Of(source.Original.Graph), BackendRegistry.Find("onnxruntime")!,
            sample);
        // Slow models get fewer rounds.
        IReadOnlyList<IReadOnlyList<double>> times = Interleaved.Measure([ours.Call, original.Call], 41, default, limit: 2500);
        return Interleaved.Median(times[0]) / Interleaved.Median(times[1]);
    }
}
