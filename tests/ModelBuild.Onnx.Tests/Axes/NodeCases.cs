namespace ModelBuild.Onnx.Tests;

/// <summary>Nodes of ONNX's conformance cases, each by itself with the values that it has there.</summary>
internal static class NodeCases
{
    /// <summary>At most so many nodes of each operator: casts and sums of expanded functions come by the hundred.</summary>
    public static IEnumerable<NodeCase> Few(this IEnumerable<NodeCase> nodes, int most = 50)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        return nodes.Where(n => (counts[n.Node.QualifiedOpType] = counts.GetValueOrDefault(n.Node.QualifiedOpType) + 1) <= most);
    }

    /// <summary>All nodes that the interpreter executes, those of functions too; of several that compute the same the first.</summary>
    /// <param name="isConstant">Which inputs become constants of the node.</param>
    /// <param name="named">Whether every dimension of the other inputs has a name in place of its size.</param>
    public static IEnumerable<NodeCase> Of(Func<Operator, Node, int, bool> isConstant, bool named = false)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var c in ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip")))
            foreach (var node in Nodes(c, isConstant, named))
                if (seen.Add(node.Key))
                    yield return node;
    }

    private static List<NodeCase> Nodes(ConformanceCase c, Func<Operator, Node, int, bool> isConstant, bool named)
    {
        var found = new List<NodeCase>();
        var model = OnnxReader.Read(c.Model);
        FunctionInliner.Run(model);
        if (c.Data.Count == 0 || Interpreter.Unsupported(model).Count > 0)
            return found;
        var inputs = new Dictionary<string, object?>();
        foreach (var (input, bytes) in model.Graph.Inputs.Zip(c.Data[0].Inputs))
            inputs[input.Name] = TestValue.Read(bytes, input);
        IReadOnlyDictionary<string, object?> values;
        try
        {
            var made = model.Graph.Values.Where(static v => v.Name.Length > 0 && v.Producer is not null).Select(static v => v.Name);
            values = new Interpreter(model).RunValues(inputs, made);
        }
        catch (OnnxException e) when (e.Code == OnnxErrors.UnsupportedOperator)
        {
            return found;
        }
        object? ValueOf(Value v) => v.Constant ?? (inputs.TryGetValue(v.Name, out var given) ? given : values.GetValueOrDefault(v.Name));
        foreach (var node in model.Graph.Nodes)
            found.Add(NodeCase.Of(c.Name, node, ValueOf, (op, i) => isConstant(op, node, i), named));
        return found;
    }
}
