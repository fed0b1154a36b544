namespace ModelBuild.Compression.Metrics;

/// <summary>All metrics by name.</summary>
public static class MetricCatalog
{
    private static readonly Dictionary<string, Metric> ByName =
        new Metric[] { new TopK(1), new TopK(5), new Regret(), new Agreement(), new Cosine(), new Sqnr(), new Rmse(), new F1(), new CharacterErrorRate() }
            .ToDictionary(m => m.Name, StringComparer.Ordinal);

    /// <summary>The names, in the order in which documentation lists them.</summary>
    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <summary>The metric of a name.</summary>
    /// <exception cref="CompressionException">MDLB0011: there is no such metric.</exception>
    public static Metric Get(string name) => ByName.TryGetValue(name, out var metric)
        ? metric
        : throw new CompressionException(Codes.UnknownMetric,
            $"there is no metric '{name}'{Suggestion.For(name, ByName.Keys)}; there are auto, {string.Join(", ", ByName.Keys)}", "Metric");
}
