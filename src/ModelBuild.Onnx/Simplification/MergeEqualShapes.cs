namespace ModelBuild.Onnx.Simplification;

/// <summary>Lets everything that reads computed sizes read the first value that holds the same sizes.</summary>
internal sealed class MergeEqualShapes : GraphPass
{
    public override bool Run(Graph graph, PassContext context)
    {
        var changed = false;
        var seen = new Dictionary<Sizes, Value>();
        foreach (var node in graph.Nodes.ToArray())
            foreach (var output in node.Outputs)
            {
                if (output.Name.Length == 0 || output.IsGraphOutput || context.Elements(output) is not { IsConstant: false } elements
                    || elements.Elements.Any(static d => d.IsUnknown))
                    continue;
                var key = new Sizes(context.Type(output)?.ElementType, elements);
                if (seen.TryAdd(key, output) || output.Uses.Count == 0)
                    continue;
                // One Shape is the least that sizes cost: from here on it is read, and what put them together from parts may have no reader left.
                if (node.Is("Shape") && seen[key].Producer?.Is("Shape") != true)
                {
                    seen[key] = output;
                    continue;
                }
                graph.Replace(output, seen[key]);
                changed = true;
            }
        return changed;
    }

    // Subgraphs are left alone: sizes inside one may depend on the iteration.
    protected override bool Apply(Node node, PassContext context) => false;

    /// <summary>What a value holds; equal where type, shape and every element are.</summary>
    private sealed record Sizes(ElementType? Type, SymbolicTensor Tensor)
    {
        public bool Equals(Sizes? other) => other is not null && Type == other.Type
            && Tensor.Shape.AsSpan().SequenceEqual(other.Tensor.Shape.AsSpan()) && Tensor.Elements.AsSpan().SequenceEqual(other.Tensor.Elements.AsSpan());

        public override int GetHashCode() => Tensor.Elements.Aggregate(Type.GetHashCode(), HashCode.Combine);
    }
}
