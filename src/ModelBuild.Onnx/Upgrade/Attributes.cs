namespace ModelBuild.Onnx;

/// <summary>Attributes that become inputs.</summary>
internal static class Attributes
{
    /// <summary>Replaces an attribute by an initializer; where it is absent, by the default, or by nothing.</summary>
    public static void ToInput(Node node, string attribute, int input, Func<AttributeValue, Tensor> convert, Tensor? absent = null)
    {
        var data = node.Attributes.Remove(attribute, out var value) ? convert(value) : absent;
        if (data is not null)
            node.SetInput(input, Constant(node, attribute, data));
    }

    /// <summary>Replaces an attribute of integers by an initializer.</summary>
    public static void IntsToInput(Node node, string attribute, int input) =>
        ToInput(node, attribute, input, static a => Tensor.Vector(((System.Collections.Immutable.ImmutableArray<long>)a.Value).ToArray()));

    /// <summary>A new initializer for a node.</summary>
    public static Value Constant(Node node, string name, Tensor data) => node.Graph.AddInitializer($"{node.DisplayName}/{name}", data);

    /// <summary>Lets a new node read what <paramref name="input"/> of <paramref name="node"/> read, and the node read its output.</summary>
    public static Node Before(Node node, int input, string opType, params Value[] others)
    {
        var added = node.Graph.AddNode(opType, [node.Input(input), .. others], [$"{node.Input(input)!.Name}/{opType}"], before: node);
        added.Sources = node.Sources;
        node.SetInput(input, added.Output);
        return added;
    }

    /// <summary>Lets a new node read the node's first output, and everything that read it read the new one.</summary>
    public static Node After(Node node, string opType, params Value[] others) => After(node, node.Output, opType, others);

    /// <summary>Lets a new node read an output of a node, and everything that read it read the new one.</summary>
    public static Node After(Node node, Value old, string opType, params Value[] others)
    {
        var graph = node.Graph;
        var next = graph.Nodes.SkipWhile(n => !ReferenceEquals(n, node)).Skip(1).FirstOrDefault();
        var added = graph.AddNode(opType, [], [$"{old.Name}/{opType}"], before: next);
        added.Sources = node.Sources;
        graph.Replace(old, added.Output);
        added.SetInput(0, old);
        for (var i = 0; i < others.Length; i++)
            added.SetInput(i + 1, others[i]);
        return added;
    }
}
