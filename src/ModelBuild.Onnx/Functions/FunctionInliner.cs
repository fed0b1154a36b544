using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Replaces calls of a model's local functions by the functions' bodies.</summary>
public static class FunctionInliner
{
    private const int MaxDepth = 32;
    private const int MaxNodes = 1 << 16;

    /// <summary>Whether a model has local functions.</summary>
    public static bool HasFunctions(Model model) => model.CarriedThrough.OfType<FunctionProto>().Any();

    /// <summary>Inlines all calls, those in subgraphs and in functions included, and drops the functions.</summary>
    /// <param name="model">The model, changed in place.</param>
    /// <exception cref="OnnxException">A function calls itself, imports another version of an operator set than the model, or the result would be too
    /// large.</exception>
    public static void Run(Model model)
    {
        var functions = new Dictionary<(string, string, string), FunctionProto>();
        foreach (var function in model.CarriedThrough.OfType<FunctionProto>())
            if (!functions.TryAdd((Domains.Normalize(function.Domain), function.Name, function.Overload), function))
                throw new OnnxException(OnnxErrors.DuplicateName, $"two local functions are named '{function.Domain}.{function.Name}'");
        if (functions.Count == 0)
            return;
        var made = 0;
        Inline(model.Graph, 0);
        model.CarriedThrough.RemoveAll(static p => p is FunctionProto);

        void Inline(Graph graph, int depth)
        {
            foreach (var node in graph.Nodes.ToArray())
                Visit(node, depth);
        }

        void Visit(Node node, int depth)
        {
            foreach (var inner in node.Attributes.Values.SelectMany(a => a.Graphs))
                Inline(inner, depth);
            if (!functions.TryGetValue((node.Domain, node.OpType, node.Overload), out var function))
                return;
            if (depth >= MaxDepth)
                throw new OnnxException(OnnxErrors.Wiring,
                    $"the function '{function.Domain}.{function.Name}' calls itself, or calls are nested deeper than {MaxDepth}", node.DisplayName);
            foreach (var added in Replace(node, function))
            {
                if (++made > MaxNodes)
                    throw new OnnxException(OnnxErrors.TooLarge, $"the bodies of local functions have more than {MaxNodes} nodes in all", node.DisplayName);
                Visit(added, depth + 1);
            }
        }
    }

    private static List<Node> Replace(Node call, FunctionProto function)
    {
        var model = call.Graph.Model;
        foreach (var import in function.OpsetImport)
            if (!model.Opsets.TryAdd(Domains.Normalize(import.Domain), import.Version) && model.Opsets[Domains.Normalize(import.Domain)] != import.Version)
                throw new OnnxException(OnnxErrors.Version,
                    $"the function '{function.Domain}.{function.Name}' imports version {import.Version} of '{import.Domain}', the model "
                    + $"{model.Opsets[Domains.Normalize(import.Domain)]}");
        var body = Body(model, function);
        Resolve(body, call, function);
        var replaced = new Dictionary<Value, Value>();
        for (var i = 0; i < body.Inputs.Count; i++)
            if (call.Input(i) is { } given)
                replaced[body.Inputs[i]] = given;
            else
                foreach (var use in body.Inputs[i].Uses.ToArray())
                    use.Node.SetInput(use.Index, null);
        var added = body.Nodes.Select(n => GraphCloner.Append(n, call.Graph, call, replaced)).ToList();
        foreach (var node in added)
            node.Sources = call.Sources;
        // Subgraphs that the call gave were copied with the nodes that use them.
        foreach (var node in body.Nodes)
            node.Attributes.Clear();
        for (var i = 0; i < call.Outputs.Count; i++)
        {
            if (i >= body.Outputs.Count)
                throw NodeError.Of(call, $"has more outputs than the function '{function.Name}'");
            if (call.Outputs[i].Name.Length > 0 && replaced.TryGetValue(body.Outputs[i], out var result))
                PassOn(call.Outputs[i], result);
        }
        call.Graph.Remove(call);
        return added;
    }

    private static void PassOn(Value output, Value result)
    {
        var name = output.Name;
        var graph = output.Graph;
        graph.Replace(output, result);
        // The name of a call's output stays, so that inner values can still be asked for.
        if (result.Producer is null || result.Name == name || result.IsGraphOutput || !ReferenceEquals(result.Graph, graph)
            || !ReferenceEquals(graph.Find(name), output))
            return;
        graph.Rename(output, graph.UniqueName(name + "_call"));
        graph.Rename(result, name);
    }

    private static Graph Body(Model model, FunctionProto function)
    {
        var proto = new GraphProto { Name = function.Name };
        proto.Input.AddRange(function.Input.Select(static n => new ValueInfoProto { Name = n }));
        proto.Output.AddRange(function.Output.Select(static n => new ValueInfoProto { Name = n }));
        proto.Node.AddRange(function.Node.Select(static n => n.Clone()));
        var graph = new Graph(model);
        using var external = new ExternalData(null);
        new GraphReader(external).Fill(graph, proto);
        return graph;
    }

    /// <summary>Gives attributes that refer to those of the call their values; one that neither the call nor the function gives is left out.</summary>
    private static void Resolve(Graph body, Node call, FunctionProto function)
    {
        using var external = new ExternalData(null);
        foreach (var node in body.Nodes)
        {
            foreach (var (name, attribute) in node.Attributes.ToArray())
            {
                if (attribute.ReferenceName is not { } reference)
                    continue;
                if (call.Attributes.TryGetValue(reference, out var given))
                    node.Attributes[name] = given;
                else if (function.AttributeProto.FirstOrDefault(a => a.Name == reference) is { } standard)
                    node.Attributes[name] = AttributeReader.Read(standard.Clone(), external,
                        static _ => throw new InvalidOperationException("a default is a subgraph"), function.Name);
                else
                    node.Attributes.Remove(name);
            }
            foreach (var inner in node.Attributes.Values.SelectMany(a => a.Graphs))
                Resolve(inner, call, function);
        }
    }
}
