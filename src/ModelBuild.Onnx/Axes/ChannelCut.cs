namespace ModelBuild.Onnx;

/// <summary>Channels taken out of a model: what each node loses, and whether it can.</summary>
public sealed class ChannelCut
{
    private readonly List<AxisCut> _cuts = [];

    private ChannelCut()
    {
    }

    /// <summary>The node that stands in the way, and why; null where none does.</summary>
    public (Node Node, string Reason)? Refusal { get; private set; }

    /// <summary>What values keep: those that lose something, with the axis and its indices.</summary>
    public IReadOnlyList<(Value Value, int Axis, long[] Kept)> Values { get; private init; } = [];

    /// <summary>Plans to take channels out of a model.</summary>
    /// <param name="model">The model. Not changed before <see cref="Apply"/>.</param>
    /// <param name="types">What was inferred of it.</param>
    /// <param name="removed">Channels of groups of the model.</param>
    public static ChannelCut Of(Model model, InferenceResult types, IEnumerable<(ChannelGroup Group, IReadOnlySet<int> Channels)> removed)
    {
        var kept = new Dictionary<Node, Dictionary<NodeAxis, long[]>>();
        var values = new List<(Value, int, long[])>();
        foreach (var (group, channels) in removed)
            foreach (var member in group.Members)
            {
                long[] stay = [.. Enumerable.Range(0, member.Channels.Count).Where(i => !channels.Contains(member.Channels[i])).Select(static i => (long)i)];
                if (stay.Length == member.Channels.Count)
                    continue;
                if (member.Node is { } reader)
                {
                    Keep(reader, NodeAxis.OfInput(member.Input, member.Axis), stay);
                    continue;
                }
                var value = member.Value!;
                values.Add((value, member.Axis, stay));
                if (value.Producer is { } producer)
                    Keep(producer, NodeAxis.OfOutput(value.ProducerIndex, member.Axis), stay);
                foreach (var use in value.Uses)
                    Keep(use.Node, NodeAxis.OfInput(use.Index, member.Axis), stay);
            }
        var cut = new ChannelCut { Values = values };
        foreach (var node in model.Graph.Nodes)
        {
            if (!kept.TryGetValue(node, out var axes))
                continue;
            var own = AxisCut.Of(node, types, model.Opsets.GetValueOrDefault(node.Domain, 1), axes);
            var reason = own.Refusal;
            // Whatever else would go with them is not part of the group: then it was not followed.
            if (reason is null
                && own.Kept.FirstOrDefault(k => !axes.TryGetValue(k.Key, out var asked) || !asked.SequenceEqual(k.Value)) is { Value: not null } more)
                reason = $"{more.Key} would lose other channels";
            if (reason is not null)
            {
                cut.Refusal = (node, reason);
                return cut;
            }
            cut._cuts.Add(own);
        }
        return cut;

        void Keep(Node node, NodeAxis axis, long[] stay)
        {
            if (!kept.TryGetValue(node, out var axes))
                kept.Add(node, axes = []);
            axes[axis] = axes.TryGetValue(axis, out var before) ? [.. before.Intersect(stay)] : stay;
        }
    }

    /// <summary>Takes the channels out. What was inferred of the model holds no longer.</summary>
    /// <param name="model">The model that it was planned on.</param>
    /// <exception cref="InvalidOperationException">A node cannot be cut.</exception>
    public void Apply(Model model)
    {
        if (Refusal is var (node, reason))
            throw new InvalidOperationException($"'{node.DisplayName}': {reason}");
        foreach (var cut in _cuts)
            cut.Apply();
        foreach (var initializer in model.Graph.Initializers.Where(static i => i is { IsUnused: true, IsGraphInput: false, IsGraphOutput: false }).ToArray())
            model.Graph.Remove(initializer);
        foreach (var output in model.Nodes.SelectMany(static n => n.Outputs).Where(static o => !o.IsGraphOutput))
            output.Type = null;
        ShapeInference.Run(model);
    }
}
