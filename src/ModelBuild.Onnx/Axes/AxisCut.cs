namespace ModelBuild.Onnx;

/// <summary>A node of which some axes keep some indices only: what else is cut with them, and how attributes and constants change.</summary>
public sealed class AxisCut
{
    private readonly IReadOnlyDictionary<string, AttributeValue?> _attributes;
    private readonly IReadOnlyDictionary<int, Tensor> _inputs;

    private AxisCut(Node node, IReadOnlyDictionary<NodeAxis, long[]> kept, string? refusal, IReadOnlyDictionary<string, AttributeValue?> attributes,
        IReadOnlyDictionary<int, Tensor> inputs)
    {
        Node = node;
        Kept = kept;
        Refusal = refusal;
        _attributes = attributes;
        _inputs = inputs;
    }

    /// <summary>The node.</summary>
    public Node Node { get; }

    /// <summary>The indices that stay, in order, of every axis that loses some.</summary>
    public IReadOnlyDictionary<NodeAxis, long[]> Kept { get; }

    /// <summary>Why the node cannot be cut so; null where it can.</summary>
    public string? Refusal { get; }

    /// <summary>Cuts an axis, and with it all that are linked or tied to it.</summary>
    /// <param name="node">The node. It is not changed before <see cref="Apply"/>.</param>
    /// <param name="types">What was inferred of its model.</param>
    /// <param name="opset">The version of the operator set that the node belongs to.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="kept">The indices that it keeps, in order.</param>
    public static AxisCut Of(Node node, InferenceResult types, long opset, NodeAxis axis, long[] kept) =>
        Of(node, types, opset, new Dictionary<NodeAxis, long[]> { [axis] = kept });

    /// <summary>Cuts axes, and with them all that are linked or tied to them.</summary>
    public static AxisCut Of(Node node, InferenceResult types, long opset, IReadOnlyDictionary<NodeAxis, long[]> axes)
    {
        var map = AxisMap.Of(node, types, opset);
        var known = new AxesContext(node, types, opset);
        long? Length(NodeAxis a) =>
            (a.IsOutput ? known.OutputSize(a.Index, a.Axis) : known.Size(a.Index, a.Axis)) is { IsConstant: true, Value: <= int.MaxValue and var n } ? n : null;
        AxisCut Refuse(IReadOnlyDictionary<NodeAxis, long[]> kept, string reason) =>
            new(node, kept, reason, new Dictionary<string, AttributeValue?>(), new Dictionary<int, Tensor>());

        foreach (var (axis, indices) in axes)
            if (Length(axis) is { } length && indices.Where((k, i) => k < (i == 0 ? 0 : indices[i - 1] + 1) || k >= length).Any())
                throw new ArgumentException($"[{string.Join(',', indices)}] are no indices of {axis}, in order", nameof(axes));
        if (!TrySpread(map, Length, axes, out var kept, out var refusal))
            return Refuse(kept, refusal!);
        foreach (var (axis, indices) in kept)
        {
            if (indices.Length == 0)
                return Refuse(kept, $"nothing is left of {axis}");
            if (!map.Links.Concat(map.Ties).Any(l => l.From.At == axis || l.To.At == axis))
                return Refuse(kept, $"{axis} is linked to no other");
        }
        var context = new CutContext(known, kept, Length);
        string? reason = null;
        NodeError.Guard(node, () => reason = OperatorRegistry.Find(node, opset) is { } op ? op.Cut(context) : "the operator is not known");
        if (reason is not null)
            return Refuse(kept, reason);
        var inputs = context.Inputs;
        for (var i = 0; i < node.Inputs.Count; i++)
            if (!inputs.ContainsKey(i) && known.Constant(i) is { } data && kept.Keys.Any(a => !a.IsOutput && a.Index == i))
                inputs[i] = kept.Where(k => !k.Key.IsOutput && k.Key.Index == i).Aggregate(data, static (t, k) => Slice(t, k.Key.Axis, k.Value));
        return new(node, kept, null, context.Attributes, inputs);
    }

    /// <summary>Writes the changed attributes and constants. Constants that other nodes read stay as they are: the node gets copies.</summary>
    /// <exception cref="InvalidOperationException">The node cannot be cut.</exception>
    public void Apply()
    {
        if (Refusal is not null)
            throw new InvalidOperationException(Refusal);
        foreach (var (name, value) in _attributes)
            if (value is null)
                Node.Attributes.Remove(name);
            else
                Node.Attributes[name] = value;
        foreach (var (input, data) in _inputs)
            Node.SetInput(input, Node.Graph.AddInitializer(Node.Input(input)?.Name ?? $"{Node.Key}_{input}", data));
        foreach (var (axis, indices) in Kept)
            if (axis.IsOutput && Node.Outputs[axis.Index].Type is { HasRank: true } type)
                Node.Outputs[axis.Index].Type = type with { Shape = type.Shape.SetItem(axis.Axis, indices.Length) };
    }

    /// <summary>The slices of a tensor along an axis.</summary>
    public static Tensor Slice(Tensor data, int axis, long[] kept) => Operators.Gather.Apply(data, Tensor.Vector(kept), axis);

    /// <summary>Follows links and ties from axes that lose indices, until no other axis loses any.</summary>
    /// <param name="map">Where axes come from.</param>
    /// <param name="length">How long an axis is; null where that is not a number.</param>
    /// <param name="axes">The axes to begin with, and what they keep.</param>
    /// <param name="kept">All axes that lose indices, and what they keep.</param>
    /// <param name="refusal">Why that cannot be told; null where it can.</param>
    public static bool TrySpread(AxisMap map, Func<NodeAxis, long?> length, IReadOnlyDictionary<NodeAxis, long[]> axes, out Dictionary<NodeAxis, long[]> kept,
        out string? refusal)
    {
        kept = new(axes);
        refusal = null;
        var links = map.Links.Concat(map.Ties).ToArray();
        var open = new Queue<NodeAxis>(axes.Keys);
        while (open.TryDequeue(out var axis))
        {
            var groups = links.Where(l => l.From.At == axis || l.To.At == axis)
                .Select(l => l.From.At == axis ? (Forth: true, Other: l.To.At, Link: l) : (Forth: false, Other: l.From.At, Link: l))
                .GroupBy(static l => (l.Forth, l.Other), static l => l.Link).ToArray();
            foreach (var group in groups)
            {
                if (length(axis) is not { } from || length(group.Key.Other) is not { } to || !group.All(static l => l.IsNumeric))
                {
                    refusal = $"{axis} is linked to {group.Key.Other}, of which a size is not a number";
                    return false;
                }
                Narrow(kept, open, group.Key.Other, to, Lost([.. group], group.Key.Forth, from, to, kept[axis]));
            }
            // One value that is read twice is one.
            for (var i = 0; !axis.IsOutput && i < map.Node.Inputs.Count; i++)
                if (i != axis.Index && map.Node.Inputs[i] is { } value && ReferenceEquals(value, map.Node.Inputs[axis.Index]) && length(axis) is { } n)
                {
                    var own = kept[axis].ToHashSet();
                    Narrow(kept, open, axis with { Index = i }, n, j => !own.Contains(j));
                }
        }
        return true;
    }

    private static void Narrow(Dictionary<NodeAxis, long[]> kept, Queue<NodeAxis> open, NodeAxis axis, long length, Func<long, bool> isLost)
    {
        var before = kept.GetValueOrDefault(axis);
        var after = (before ?? Enumerable.Range(0, (int)length).Select(static i => (long)i)).Where(i => !isLost(i)).ToArray();
        if (after.Length == (before?.Length ?? length))
            return;
        kept[axis] = after;
        open.Enqueue(axis);
    }

    /// <summary>Which indices of the other axis go: those that had slices to go with, none of which stays.</summary>
    private static Func<long, bool> Lost(AxisLink[] links, bool forth, long from, long to, long[] kept)
    {
        if (links is [var link])
        {
            var (own, other) = forth ? (link.From, link.To) : (link.To, link.From);
            var stay = kept.Select(i => link.Coordinate(own, i)).OfType<long>().ToHashSet();
            var gone = Enumerable.Range(0, (int)from).Select(i => link.Coordinate(own, i)).OfType<long>().Where(u => !stay.Contains(u)).ToHashSet();
            return j => link.Coordinate(other, j) is { } u && gone.Contains(u);
        }
        bool AreOne(long i, long j) => forth ? AxisMap.AreOne(links, i, j) : AxisMap.AreOne(links, j, i);
        var lost = new bool[to];
        for (long j = 0; j < to; j++)
            lost[j] = !kept.Any(i => AreOne(i, j)) && Enumerable.Range(0, (int)from).Any(i => AreOne(i, j));
        return j => lost[j];
    }
}
