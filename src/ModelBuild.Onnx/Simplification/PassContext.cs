using System.Collections.Immutable;

namespace ModelBuild.Onnx.Simplification;

/// <summary>What passes know about a model, and edits that they share.</summary>
internal sealed class PassContext(Model model, InferenceResult inference, SimplifierOptions options)
{
    public Model Model => model;

    public SimplifierOptions Options => options;

    public InferenceResult Inference => inference;

    /// <summary>The inferred type of a value.</summary>
    public TensorType? Type(Value value) => inference.TypeOf(value);

    /// <summary>The data of a value that is constant: an initializer, or one that inference found.</summary>
    public Tensor? Constant(Value? value) => value is null ? null : inference.ConstantOf(value);

    /// <summary>Whether a subgraph contradicts the shapes that it is given, so that nothing may be concluded in it.</summary>
    public bool IsContradictory(Graph graph) => inference.IsContradictory(graph);

    /// <summary>Whether a graph rounds values to integers: there, float noise becomes whole steps.</summary>
    public static bool Quantizes(Graph graph) => graph.Nodes.Any(static n => n.OpType is "QuantizeLinear" or "DynamicQuantizeLinear");

    /// <summary>The elements of a small integer tensor as far as they are known.</summary>
    public SymbolicTensor? Elements(Value value) => inference.ElementsOf(value);

    /// <summary>
    /// Whether everything that reads <paramref name="old"/> can read <paramref name="replacement"/> without a node in between: not where an output of the graph
    /// would have to be an input, an initializer, another output or a value of an outer graph.
    /// </summary>
    public static bool CanReplace(Value old, Value replacement) =>
        !old.IsGraphOutput || replacement.Producer is not null && !replacement.IsGraphOutput && ReferenceEquals(replacement.Graph, old.Graph);

    /// <summary>Removes a node with one output, letting everything read another value instead.</summary>
    /// <returns>Whether that was possible.</returns>
    public static bool Bypass(Node node, Value replacement)
    {
        if (!CanReplace(node.Output, replacement))
            return false;
        // What the node was about now lies with its neighbour.
        if (replacement.Producer is { } producer && ReferenceEquals(producer.Graph, node.Graph))
            Unite(producer, node);
        node.Graph.Replace(node.Output, replacement);
        node.Graph.Remove(node);
        return true;
    }

    /// <summary>
    /// Removes a node whose work the node before it has taken over: that node's output takes over the name, so that a name means the same value as before.
    /// </summary>
    public static void Absorb(Node node, Value before)
    {
        var (graph, name, declared) = (node.Graph, node.Output.Name, node.Output.CarriedType);
        var type = node.Output.Type;
        graph.Replace(node.Output, before);
        graph.Remove(node);
        if (before.Name == name)
            return;
        graph.Rename(before, name);
        before.Type = type;
        before.CarriedType = declared;
    }

    /// <summary>Replaces an output of a node by a constant.</summary>
    public static void ReplaceByConstant(Value value, Tensor data)
    {
        var graph = value.Graph;
        var initializer = graph.AddInitializer(value.Name, data);
        if (value.Producer is { OpType: not "Constant" } producer)
            foreach (var use in value.Uses)
                Unite(use.Node, producer);
        graph.Replace(value, initializer);
    }

    /// <summary>Adds the sources of nodes to those of another.</summary>
    public static void Unite(Node into, params ReadOnlySpan<Node> others)
    {
        var sources = into.Sources;
        foreach (var other in others)
            sources = [.. sources.Union(other.Sources)];
        into.Sources = sources;
    }

    /// <summary>Whether two types are known in full and equal.</summary>
    public static bool SameShape(TensorType? a, TensorType? b) => a is { HasRank: true } && b is { HasRank: true } && a.ElementType == b.ElementType
        && a.Rank == b.Rank && a.Shape.Zip(b.Shape).All(static p => !p.First.IsUnknown && p.First == p.Second);

    /// <summary>
    /// The shape input of a Reshape that makes <paramref name="target"/>, where at most one dimension is not constant: that one is written as -1. Null where
    /// there are more, or where a 0 would be misread.
    /// </summary>
    public static long[]? ReshapeArgument(ImmutableArray<Dimension> target)
    {
        if (target.IsDefault || target.Count(static d => !d.IsConstant) > 1)
            return null;
        long[] shape = [.. target.Select(static d => d.IsConstant ? d.Value : -1)];
        return shape.Contains(0) ? null : shape;
    }
}
