using System.Text.Json;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;

namespace ModelBuild.Zoo;

/// <summary>
/// What was chosen for a model on a profile, with its metric: a build on another CPU class must come to the same, as long as the costs that ranked the
/// candidates are the same, and the candidates are (<paramref name="Costs"/>: the table's class and version, and the recipes and repairs that are offered).
/// </summary>
public sealed record Outcome(string Model, string Profile, string Optimize, string Costs, string Recipe, string Backend, long Bytes, long OriginalBytes,
    string Metric, double Original, double Compressed, double Loss, double Budget, int Samples, double PredictedRatio)
{
    /// <summary>The profiles whose outcomes are recorded.</summary>
    public static IReadOnlyList<string> Profiles { get; } = ["x64-avx512vnni", "x64-avxvnni", "x64-avx2", "portable"];

    /// <summary>Compresses a model for all recorded profiles.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="objective">What is preferred.</param>
    /// <param name="artifact">Receives what ships for each profile.</param>
    public static IReadOnlyList<Outcome> Of(string name, Objective objective, Action<ProfileOutcome>? artifact = null)
    {
        var zoo = ZooModel.Open(name);
        var options = new CompressionOptions
        {
            Profiles = [.. Profiles.Select(BuiltInProfiles.Get)],
            CalibrationData = [zoo.Calibration],
            EvaluationData = File.Exists(zoo.Evaluation) ? [zoo.Evaluation] : [],
            MetricOutputs = zoo.MetricOutputs,
            Optimize = objective,
            // What the table chooses, on any machine.
            Measure = false,
        };
        var techniques = new TechniqueRegistry();
        var offered = string.Join(' ', techniques.All.SelectMany(t => t.Offers.Select(o => new RecipeStep(t.Name, o.Arguments).ToString()))
            .Concat(techniques.All.Where(t => t.Repairs).Select(t => "+" + t.Name)));
        using var compressor = new Compressor(ModelSource.Open(zoo.Model, options.Shapes), options, ["managed", "onnxruntime"], new byte[32], techniques,
            _ => { }, default);
        var outcomes = new List<Outcome>();
        foreach (var profile in options.Profiles)
        {
            var chosen = compressor.Choose(profile);
            artifact?.Invoke(chosen);
            var c = chosen.Chosen.Candidate;
            var m = (c.Report ?? c.Choose!).Deciding;
            outcomes.Add(new(name, profile.Name, objective.ToString().ToLowerInvariant(), $"{chosen.Costs.CpuClass} {chosen.Costs.Version}, {offered}", c.Recipe,
                c.Backend, c.Artifact.Length, compressor.Source.Artifact.Length,
                m.Metric, m.Original, m.Compressed, m.Loss, compressor.Selection!.Budget, m.Samples, Math.Round(chosen.Chosen.LatencyRatio, 3)));
        }
        return outcomes;
    }

    /// <summary>Where the outcomes of builds on a CPU class are recorded.</summary>
    public static string FileOf(string cpuClass) => Path.Combine(SharedFolder.Repository, "docs", "results", $"outcomes.{cpuClass}.json");

    /// <summary>Reads a record.</summary>
    public static IReadOnlyList<Outcome> Read(string path) => JsonSerializer.Deserialize<List<Outcome>>(File.ReadAllText(path))!;

    /// <summary>Writes a record.</summary>
    public static void Write(string path, IEnumerable<Outcome> outcomes) =>
        File.WriteAllText(path, JsonSerializer.Serialize(outcomes.OrderBy(o => o.Optimize, StringComparer.Ordinal).ThenBy(o => o.Model, StringComparer.Ordinal)
            .ThenBy(o => o.Profile, StringComparer.Ordinal), new JsonSerializerOptions { WriteIndented = true }) + "\n");
}
