namespace ModelBuild.Onnx;

/// <summary>One run of a graph: the values that exist so far. A subgraph's frame sees those of the graphs around it.</summary>
internal sealed class Frame(Model model, Frame? parent, Dictionary<Value, object?> values)
{
    private const int MaxDepth = 64;
    private readonly int _depth = parent is null ? 0 : parent._depth + 1;

    /// <summary>A value that was given or computed.</summary>
    public object? Get(Value value)
    {
        for (var f = this; f is not null; f = f.Parent)
            if (f.Values.TryGetValue(value, out var v))
                return v;
        if (value.Constant is not null)
            return value.Constant;
        foreach (var (sparse, data) in value.Graph.SparseInitializers)
            if (ReferenceEquals(sparse, value))
                return Values[value] = SparseTensorReader.ToDense(data);
        return null;
    }

    /// <summary>Computes the wanted values of a graph, and drops each other value after its last use.</summary>
    public void Run(Graph graph, IReadOnlyCollection<Value> wanted)
    {
        if (_depth > MaxDepth)
            throw new OnnxException(OnnxErrors.TooLarge, $"subgraphs are nested deeper than {MaxDepth}");
        var needed = Needed(graph, wanted);
        var pending = new Dictionary<Value, int>();
        foreach (var node in graph.Nodes)
            if (needed.Contains(node))
                foreach (var value in Graph.Dependencies(node))
                    if (value.Producer is not null && ReferenceEquals(value.Graph, graph))
                        pending[value] = pending.GetValueOrDefault(value) + 1;
        foreach (var value in wanted)
            pending.Remove(value);
        foreach (var node in graph.Nodes)
        {
            if (!needed.Contains(node))
                continue;
            Execute(node);
            foreach (var value in Graph.Dependencies(node))
                if (pending.TryGetValue(value, out var left))
                {
                    pending[value] = left - 1;
                    if (left == 1)
                        Values.Remove(value);
                }
        }
    }

    private Frame? Parent => parent;

    private Dictionary<Value, object?> Values => values;

    private void Execute(Node node)
    {
        var opset = model.Opsets.GetValueOrDefault(node.Domain, 1);
        var op = OperatorRegistry.Find(node, opset)
            ?? throw new OnnxException(OnnxErrors.UnsupportedOperator, $"{node.OpType} of operator set {opset} cannot be executed", node.DisplayName);
        var inputs = new object?[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = node.Inputs[i] is { } v ? Get(v) : null;
        WorkBudget.Charge(WorkBudget.PerNode);
        var context = new ExecutionContext(node, opset, inputs, RunSubgraph);
        NodeError.Guard(node, () => op.Execute(context));
        for (var i = 0; i < node.Outputs.Count; i++)
            if (node.Outputs[i].Name.Length > 0)
                Values[node.Outputs[i]] = context.Outputs[i];
    }

    private object?[] RunSubgraph(Graph graph, IReadOnlyList<object?> inputs)
    {
        if (inputs.Count > graph.Inputs.Count)
            throw new InvalidOperationException($"the subgraph '{graph.Name}' takes {graph.Inputs.Count} inputs, not {inputs.Count}");
        var environment = new Dictionary<Value, object?>();
        for (var i = 0; i < inputs.Count; i++)
            environment[graph.Inputs[i]] = inputs[i];
        var frame = new Frame(model, this, environment);
        frame.Run(graph, graph.Outputs.Where(o => ReferenceEquals(o.Graph, graph)).ToArray());
        return [.. graph.Outputs.Select(frame.Get)];
    }

    private static HashSet<Node> Needed(Graph graph, IEnumerable<Value> wanted)
    {
        var needed = new HashSet<Node>();
        var work = new Stack<Value>(wanted);
        while (work.TryPop(out var value))
            if (value.Producer is { } producer && ReferenceEquals(producer.Graph, graph) && needed.Add(producer))
                foreach (var dependency in Graph.Dependencies(producer))
                    work.Push(dependency);
        return needed;
    }
}
