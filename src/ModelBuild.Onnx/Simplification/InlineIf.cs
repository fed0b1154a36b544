namespace ModelBuild.Onnx.Simplification;

/// <summary>Replaces an If whose condition is constant by the branch that is taken.</summary>
internal sealed class InlineIf : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (!node.Is("If") || context.Constant(node.Input(0)) is not { Length: 1 } condition)
            return false;
        var name = Numbers.Integers(condition)[0] != 0 ? "then_branch" : "else_branch";
        if (node.Attributes.GetValueOrDefault(name)?.Value is not Graph branch || branch.SparseInitializers.Count > 0)
            return false;
        var graph = node.Graph;
        var moved = new Dictionary<Value, Value>();
        foreach (var initializer in branch.Initializers)
            moved[initializer] = graph.AddInitializer(initializer.Name, initializer.Constant!);
        foreach (var inner in branch.Nodes.ToArray())
            Move(inner, graph, node, moved);
        for (var i = 0; i < node.Outputs.Count; i++)
        {
            var result = branch.Outputs[i];
            graph.Replace(node.Outputs[i], moved.GetValueOrDefault(result, result));
        }
        graph.Remove(node);
        return true;
    }

    private static void Move(Node inner, Graph graph, Node before, Dictionary<Value, Value> moved)
    {
        var copy = graph.AddNode(inner.OpType, inner.Inputs.Select(i => i is null ? null : moved.GetValueOrDefault(i, i)), inner.Outputs.Select(o => o.Name), inner.Domain, before);
        copy.Name = inner.Name;
        copy.Overload = inner.Overload;
        copy.DocString = inner.DocString;
        copy.Sources = [.. inner.Sources.Union(before.Sources)];
        foreach (var (key, value) in inner.Attributes)
            copy.Attributes.Add(key, GraphCloner.Clone(value, graph, moved));
        for (var i = 0; i < inner.Outputs.Count; i++)
        {
            copy.Outputs[i].Type = inner.Outputs[i].Type;
            copy.Outputs[i].NonTensorType = inner.Outputs[i].NonTensorType;
            moved[inner.Outputs[i]] = copy.Outputs[i];
        }
    }
}
