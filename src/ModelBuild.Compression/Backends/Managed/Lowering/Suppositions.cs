using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Branches that a program decides for when it is compiled. Exporters write "drop the dimension if it is 1" as an If whose branches differ in rank, so that
/// nothing behind it has a shape; its condition compares a size of the tensor. The program is for calls in which the dimension is 1, or the tensor is not
/// empty, and says so as a condition of the graph that the If stood in: where a call enters it with other sizes, it is refused.
/// </summary>
internal sealed class Suppositions
{
    private readonly Dictionary<Graph, List<(Dimension, Dimension)>> _byGraph = [];

    private Suppositions()
    {
    }

    /// <summary>Pairs of sizes that are equal wherever the nodes of a graph run.</summary>
    public IEnumerable<(Dimension A, Dimension B)> Of(Graph graph) => _byGraph.GetValueOrDefault(graph) ?? [];

    /// <summary>Replaces each If whose condition is known from sizes, or supposed, by the branch that is taken.</summary>
    /// <param name="model">The model; where it has an If, a copy takes its place.</param>
    public static Suppositions Make(ref Model model)
    {
        var suppositions = new Suppositions();
        if (!model.Nodes.Any(static n => n.Is("If")))
            return suppositions;
        model = model.Clone();
        while (suppositions.Decide(model.Graph, ShapeInference.Prove(model, namesAreSizes: true)))
            Simplifier.InlineBranches(model);
        return suppositions;
    }

    // Bodies of an If that is decided come in the next round: then they belong to the graph around it.
    private bool Decide(Graph graph, InferenceResult facts)
    {
        var decided = false;
        foreach (var node in graph.Nodes)
        {
            if (node.Is("If") && ConditionOf(node.Inputs[0]!, facts) is var (value, supposed))
            {
                if (node.Inputs[0]!.Constant is not null)
                    continue;
                node.SetInput(0, graph.AddInitializer(node.Inputs[0]!.Name, Tensor.Scalar(value)));
                if (supposed is { } sizes)
                {
                    if (!_byGraph.TryGetValue(graph, out var pairs))
                        _byGraph[graph] = pairs = [];
                    pairs.Add(sizes);
                }
                decided = true;
                continue;
            }
            foreach (var body in node.Attributes.Values.SelectMany(static a => a.Graphs))
                decided |= Decide(body, facts);
        }
        return decided;
    }

    /// <summary>The value of a condition, and the sizes that must be equal for it; null where neither is known.</summary>
    private static (bool Value, (Dimension, Dimension)? Supposed)? ConditionOf(Value condition, InferenceResult facts)
    {
        if (facts.ConstantOf(condition) is { Length: 1 } known)
            return (Numbers.Integers(known)[0] != 0, null);
        if (condition.Producer is not { Domain.Length: 0 } node)
            return null;
        if (node.OpType is "Not")
            return ConditionOf(node.Inputs[0]!, facts) is var (value, sizes) ? (!value, sizes) : null;
        if (node.OpType is not "Equal" || facts.ElementsOf(node.Inputs[0]!)?.Elements is not [var a]
            || facts.ElementsOf(node.Inputs[1]!)?.Elements is not [var b] || a.IsUnknown || b.IsUnknown)
            return null;
        if (a.IsConstant)
            (a, b) = (b, a);
        if (a.IsConstant)
            return (a == b, null);
        return b == 1 ? (true, (a, b)) : b == 0 ? (false, (SizeLowering.AtMost(a, 1), 1)) : null;
    }
}
