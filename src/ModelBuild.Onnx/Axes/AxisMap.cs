using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>Where the axes of a node's outputs come from, and which axes of its inputs belong together.</summary>
public sealed class AxisMap
{
    private readonly IReadOnlyDictionary<NodeAxis, AxisKind> _kinds;

    internal AxisMap(Node node, ImmutableArray<AxisLink> links, ImmutableArray<AxisLink> ties, IReadOnlyDictionary<NodeAxis, AxisKind> kinds)
    {
        Node = node;
        Links = links;
        Ties = ties;
        _kinds = kinds;
    }

    /// <summary>The node.</summary>
    public Node Node { get; }

    /// <summary>
    /// From inputs to outputs: an output's slice reads, of that input, only the slices with the same coordinate. Several links between the same two axes hold
    /// together: a slice is read where all those agree that say something of the output's index. Indices of the output that no link speaks of read nothing of
    /// that input's axis.
    /// </summary>
    public ImmutableArray<AxisLink> Links { get; }

    /// <summary>
    /// Axes that count the same things without standing apart in the result: multiplied together and summed over, or units of a recurrent layer, which read
    /// each other. They are cut together.
    /// </summary>
    public ImmutableArray<AxisLink> Ties { get; }

    /// <summary>Where an axis of an output comes from.</summary>
    public AxisKind KindOf(int output, int axis)
    {
        var at = NodeAxis.OfOutput(output, axis);
        return Links.Any(l => l.To.At == at) ? AxisKind.Linked : _kinds.GetValueOrDefault(at);
    }

    /// <summary>The statement of a node's operator; empty where the operator is not known.</summary>
    /// <param name="node">The node.</param>
    /// <param name="types">What was inferred of its model.</param>
    /// <param name="opset">The version of the operator set that the node belongs to.</param>
    /// <exception cref="OnnxException">The node contradicts its operator's definition.</exception>
    public static AxisMap Of(Node node, InferenceResult types, long opset)
    {
        var context = new AxesContext(node, types, opset);
        if (OperatorRegistry.Find(node, opset) is { } op)
            NodeError.Guard(node, () => op.Axes(context));
        return context.ToMap();
    }

    /// <summary>The same map with sizes in place of names.</summary>
    public AxisMap Bind(IReadOnlyDictionary<string, long> sizes)
    {
        Dimension Of(Dimension d) => d is { IsConstant: false, Expression: { } e } ? e.Evaluate(sizes) is { } n ? n : Dimension.Of(e.Substitute(sizes)) : d;
        AxisEnd OfEnd(AxisEnd end) => end with { Inner = Of(end.Inner), Offset = Of(end.Offset), Outer = Of(end.Outer) };
        AxisLink OfLink(AxisLink link) => new(OfEnd(link.From), OfEnd(link.To), Of(link.Size));
        return new(Node, [.. Links.Select(OfLink)], [.. Ties.Select(OfLink)], _kinds);
    }

    /// <summary>The indices of an output's axis that may change when one slice of an input's axis does; null where nothing is stated of the two.</summary>
    /// <param name="input">The input's axis.</param>
    /// <param name="index">Which slice of it.</param>
    /// <param name="output">The output's axis.</param>
    /// <param name="length">How long that is.</param>
    public IReadOnlyList<long>? ReadBy(NodeAxis input, long index, NodeAxis output, long length)
    {
        var links = Links.Where(l => l.From.At == input && l.To.At == output).ToArray();
        if (links.Length == 0 || !links.All(static l => l.IsNumeric))
            return null;
        var read = new List<long>();
        for (long j = 0; j < length; j++)
            if (AreOne(links, index, j))
                read.Add(j);
        return read;
    }

    /// <summary>Whether two indices have the same coordinate in all links between their axes that speak of the second.</summary>
    internal static bool AreOne(AxisLink[] links, long from, long to)
    {
        var any = false;
        foreach (var link in links)
            if (link.Coordinate(link.To, to) is { } u)
            {
                if (link.Coordinate(link.From, from) != u)
                    return false;
                any = true;
            }
        return any;
    }
}
