namespace ModelBuild.Onnx.Simplification;

/// <summary>Replaces an If whose condition is constant by the branch that is taken.</summary>
internal sealed class InlineIf : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (!node.Is("If") || context.Constant(node.Input(0)) is not { Length: 1 } condition)
            return false;
        var name = Numbers.Integers(condition)[0] != 0 ? "then_branch" : "else_branch";
        if (node.Attributes.GetValueOrDefault(name)?.Value is not Graph branch || branch.SparseInitializers.Count > 0 || context.IsContradictory(branch))
            return false;
        var graph = node.Graph;
        var moved = new Dictionary<Value, Value>();
        foreach (var initializer in branch.Initializers)
            moved[initializer] = graph.AddInitializer(initializer.Name, initializer.Constant!);
        foreach (var inner in branch.Nodes.ToArray())
            GraphCloner.Append(inner, graph, node, moved);
        for (var i = 0; i < node.Outputs.Count; i++)
        {
            var result = branch.Outputs[i];
            graph.Replace(node.Outputs[i], moved.GetValueOrDefault(result, result));
        }
        graph.Remove(node);
        return true;
    }
}
