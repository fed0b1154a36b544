using System.Globalization;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// Compresses the zoo's models for the x64 profiles and records what was chosen, with its metrics, for this CPU class; times what this machine's profile gets against the
/// original in ONNX Runtime, interleaved on one core.
/// </summary>
internal static class OutcomesCommand
{
    public static int Run(IReadOnlyList<string> models)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("../shared/zoo is not there");
            return 1;
        }
        string file = Outcome.FileOf(CpuFeatureDetection.Class);
        List<Outcome> outcomes = File.Exists(file) ? [.. Outcome.Read(file)] : [];
        Cores.PinToOne();
        List<string> table = ["| model | optimize | recipe | backend | size | metric | loss | time over the original's |", "|---|---|---|---|---:|---|---:|---:|"];
        foreach (string model in models.Count > 0 ? models : ZooModel.MainJob)
            foreach (Objective objective in new[] { Objective.Size, Objective.Latency })
            {
                double ratio = double.NaN;
                IReadOnlyList<Outcome> mine = Outcome.Of(model, objective, chosen =>
                {
                    if (chosen.Profile.Name == BuiltInProfiles.ThisMachine.Name) ratio = Ratio(model, chosen.Chosen.Candidate);
                });
                if (mine.FirstOrDefault(o => o.Profile == BuiltInProfiles.ThisMachine.Name) is { } here)
                    table.Add(string.Create(CultureInfo.InvariantCulture, $"| {model} | {here.Optimize} | {here.Recipe} | {here.Backend} | {(double)here.Bytes / here.OriginalBytes:0.000} | {here.Metric} | {here.Loss:0.#####} | {ratio:0.00} |"));
                foreach (Outcome o in mine)
                    Console.WriteLine($"{o.Model} {o.Profile} {o.Optimize}: {o.Recipe} on {o.Backend}, {(double)o.Bytes / o.OriginalBytes:0.000} of the size, {o.Metric} loss {o.Loss:0.#####}, predicted {o.PredictedRatio:0.00}x");
                outcomes.RemoveAll(o => o.Model == model && o.Optimize == mine[0].Optimize);
                outcomes.AddRange(mine);
                // After each model: a run that is stopped keeps what it has.
                Outcome.Write(file, outcomes);
            }
        foreach (string line in table) Console.WriteLine(line);
        if (models.Count == 0) ResultsFile.Replace("zoo", table, "outcomes");
        return 0;
    }

    /// <summary>Time of a call of what was chosen over that of the original file in ONNX Runtime.</summary>
    private static double Ratio(string model, Candidate candidate)
    {
        ModelDescription description = DescriptionBuilder.Of(ModelSource.Open(ZooModel.Open(model).Model, new Dictionary<string, long>()).Simplified!.Graph, candidate.IsOriginal ? null : new byte[32]);
        using CallableModel ours = new(File.ReadAllBytes(candidate.Artifact.Path), description, candidate.Backend);
        using CallableModel original = new(File.ReadAllBytes(ZooModel.Open(model).Model), description, "onnxruntime");
        (double oursTime, double originalTime) = new Comparison(model, ours.Call, original.Call, () => 0).Times();
        return oursTime / originalTime;
    }
}
