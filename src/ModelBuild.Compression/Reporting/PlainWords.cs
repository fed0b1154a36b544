using System.Globalization;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Reporting;

/// <summary>What a report says, for who knows neither recipes nor metrics.</summary>
public static class PlainWords
{
    /// <summary>What ships, how large and fast it is, and what was lost.</summary>
    public static string Of(CompressionReport report) => string.Create(CultureInfo.InvariantCulture,
        $"{report.What}, run by {CompilerBackends.Get(report.Artifact.Backend).Title}. Its file has "
            + $"{Share((double)report.Artifact.Bytes / report.Source.Bytes)} of the original's size, and a call is predicted to take "
            + $"{Share(report.Latency.Ratio)} of the original's time. {Lost(report)}");

    /// <summary>What a candidate is.</summary>
    /// <param name="candidate">The candidate.</param>
    /// <param name="techniques">The techniques of its recipe.</param>
    public static string Of(Candidate candidate, TechniqueRegistry techniques) => candidate switch
    {
        { Plan: null } => "The original ships, unchanged",
        { Plan.Recipe.Steps.Count: 0 } => "The original ships with its graph tidied up, and all of its numbers as they were",
        { Plan: { } plan } => "The model ships with " + string.Join(" and ", plan.Recipe.Steps.Select(s => techniques.Get(s.Technique).Describe(s)).Distinct()),
    };

    /// <summary>What each step of the recipe that ships reached, and every layer that multiplies floats, with the reason; a line each.</summary>
    public static IEnumerable<string> Reached(CompressionReport report)
    {
        foreach (var s in report.Steps)
            yield return $"{s.Technique}: {Layers(s.Layers)} with {Share(s.MultiplyAdds)} of the multiply-adds"
                + $"{(s.ComputesIntegers ? ", in integers," : "")} and {Share(s.WeightBytes)} of the weights' bytes";
        if (report.Steps.Count == 0)
            yield break;
        foreach (var same in report.Layers.Where(l => l.Arithmetic == LayerFacts.Float).GroupBy(l => l.Why, StringComparer.Ordinal))
            yield return $"in float: {Layers(same.Count())} with {Share(same.Sum(l => l.MultiplyAdds))} of the multiply-adds, since {same.Key}: "
                + string.Join(", ", same.Select(l => l.Name));
    }

    private static string Layers(int count) => string.Create(CultureInfo.InvariantCulture, $"{count} layer{(count == 1 ? "" : "s")}");

    private static string Lost(CompressionReport report)
    {
        if (report.Metric is not { } m)
            return report.Technique is "original" or "simplify" ? "Nothing was lost, and nothing was compared: there was no data."
                : "What was lost is not known: there was no data to compare answers on.";
        var compared = string.Create(CultureInfo.InvariantCulture, $"on {m.Samples} samples that were used for nothing else");
        if (m.Loss <= 0)
            return $"Nothing was lost, compared by {m.Name} {compared}.";
        return $"Lost {compared}: {Amount(m.Name, m.Loss)}{(report.Budget is { } budget ? $", where {Amount(m.Name, budget)} would be accepted" : "")}.";
    }

    private static string Amount(string metric, double loss) => metric switch
    {
        "top1" or "top5" => $"{Share(loss)} of the right answers",
        "agreement" => $"{Share(loss)} of the answers",
        "sqnr" => $"noise of {Share(loss)} of the answers' power",
        _ => string.Create(CultureInfo.InvariantCulture, $"{loss:0.#####} by {metric}"),
    };

    private static string Share(double share) => (share * 100).ToString(share is > 0 and < 0.1 ? "0.####" : "0.#", CultureInfo.InvariantCulture) + " %";
}
