using System.Collections.Frozen;

namespace ModelBuild.Compression.Metrics;

/// <summary>What the data knows about right answers.</summary>
/// <param name="Labels">The labels, or null where there are none.</param>
/// <param name="Expected">The outputs that have expected values.</param>
/// <param name="Count">How many labelled samples the part holds that the decision rests on.</param>
/// <param name="Metadata">The item metadata that names the data, for messages.</param>
public sealed record KnownTruth(LabelSummary? Labels, IReadOnlySet<string> Expected, long Count, string Metadata)
{
    /// <summary>Whether the original answers the labels no better than a model that always says the same: then no decision rests on them.</summary>
    public bool DistrustsLabels { get; init; }

    /// <summary>What one part of the data knows.</summary>
    public static KnownTruth Of(Data.Dataset part, string metadata)
    {
        var labels = LabelSummary.Of(part);
        return new(labels, part.ExpectedOutputs.ToFrozenSet(StringComparer.Ordinal), labels?.Counted ?? part.Count, metadata);
    }
}
