using System.Text.Json.Serialization;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>The channels that are taken out of a model, group by group.</summary>
public sealed record PrunePlan : StepPlan
{
    /// <summary>The groups that lose some, in the graph's order.</summary>
    public required IReadOnlyList<PrunedGroup> Groups { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Groups.SelectMany(static g => g.Layers).Select(static l => new LayerChange(l));

    /// <inheritdoc/>
    public override bool ChangesArithmetic => true;

    /// <summary>Whether data chose the channels.</summary>
    public bool ByData { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override bool RestsOnData => ByData;

    /// <inheritdoc/>
    [JsonIgnore]
    public override IEnumerable<Decision> Decisions => Groups.Select(static g => new Decision(g.Key, [.. g.Layers.Select(static l => l.Key)]));

    /// <inheritdoc/>
    [JsonIgnore]
    public override IEnumerable<ValueCut> Cuts => Groups.SelectMany(static g => g.Values);

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model) => Groups.Where(g => g.Key != key).ToList() is { Count: > 0 } left
        ? this with { Groups = left } : null;

    /// <summary>Plans to take channels out.</summary>
    /// <param name="model">The model.</param>
    /// <param name="types">What was inferred of it.</param>
    /// <param name="wanted">Groups, with the channels that should go.</param>
    /// <param name="kept">Why others are left alone; gets those that cannot be cut.</param>
    /// <param name="byData">Whether data chose the channels.</param>
    internal static PrunePlan? Of(Model model, InferenceResult types, IReadOnlyList<(ChannelGroup Group, IReadOnlySet<int> Channels)> wanted,
        SortedDictionary<string, string> kept, bool byData)
    {
        var chosen = new List<(ChannelGroup Group, IReadOnlySet<int> Channels)>();
        foreach (var (group, channels) in wanted)
            if (ChannelCut.Of(model, types, [(group, channels)]).Refusal is var (node, reason))
                kept.TryAdd(group.Node.Key, $"'{node.DisplayName}' ({node.QualifiedOpType}): {reason}");
            else
                chosen.Add((group, channels));
        // What each group allows may be too much together: an image of a node that two of them cut.
        while (chosen.Count > 0 && ChannelCut.Of(model, types, chosen).Refusal is var (node, reason))
        {
            var last = chosen.FindLastIndex(c => c.Group.Members.Any(m => m.Node == node || node.Inputs.Contains(m.Value) || node.Outputs.Contains(m.Value)));
            kept.TryAdd(chosen[last].Group.Node.Key, $"'{node.DisplayName}' ({node.QualifiedOpType}): {reason}");
            chosen.RemoveAt(last);
        }
        return chosen.Count == 0 ? null : new()
        {
            Groups = [.. chosen.Select(c => new PrunedGroup(c.Group.Node.Key, [.. c.Group.Layers.Select(PlannedLayer.Of)], c.Group.Count,
                [.. c.Channels.Order()],
                [.. ChannelCut.Of(model, types, [c]).Values
                    .Select(static v => new ValueCut(v.Value.Path, v.Axis, [.. v.Kept.Select(static k => (int)k)]))]))],
            ByData = byData, Kept = kept,
        };
    }

    /// <summary>Takes the channels out.</summary>
    internal void Apply(Model model)
    {
        var types = ShapeInference.Prove(model);
        var groups = ChannelGroups.Of(model, types).ToDictionary(static g => g.Node.Key, StringComparer.Ordinal);
        ChannelCut.Of(model, types, Groups.Select(g => (groups[g.Key], (IReadOnlySet<int>)g.Removed.ToHashSet()))).Apply(model);
        Sweep.Run(model);
    }
}

/// <summary>Channels that go together, of which some are taken out.</summary>
/// <param name="Key">The first layer that gives them, by <see cref="Node.Key"/> in the model that the step was planned on.</param>
/// <param name="Layers">All layers that give them.</param>
/// <param name="Channels">How many there were.</param>
/// <param name="Removed">Those that go, by number in the group.</param>
/// <param name="Values">What activations keep.</param>
public sealed record PrunedGroup(string Key, IReadOnlyList<PlannedLayer> Layers, int Channels, IReadOnlyList<int> Removed, IReadOnlyList<ValueCut> Values);
