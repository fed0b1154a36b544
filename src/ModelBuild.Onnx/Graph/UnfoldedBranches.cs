namespace ModelBuild.Onnx;

/// <summary>
/// A copy of a model in which the nodes of some branches of If stand in the main graph, each as an If of its own over the same condition: <c>If(c) { b(a(x))
/// }</c> becomes <c>t = If(c) { a(x) }; If(c) { b(t) }</c>. A node still runs only where its branch is taken; elsewhere its outputs are empty. So each value of
/// a branch can be seen and fed by itself, as those of the main graph can.
/// </summary>
public sealed class UnfoldedBranches
{
    private readonly Dictionary<string, Value> _paths = new(StringComparer.Ordinal);
    private readonly Dictionary<Value, Value> _moved = [];
    private readonly Dictionary<Graph, Value> _taken = [];
    private readonly HashSet<Value> _constants = [];

    /// <summary>Unfolds.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="paths">The values that are wanted, by <see cref="Value.Path"/>; what does not exist is passed over. Those of branches must be floats where
    /// nothing states their type.</param>
    /// <exception cref="ArgumentException">One is in the body of Loop or Scan, where values have no single place in an order.</exception>
    public UnfoldedBranches(Model model, IReadOnlyCollection<string> paths)
    {
        Model = model.Clone();
        var wanted = paths.ToHashSet(StringComparer.Ordinal);
        var branches = new HashSet<Graph>();
        foreach (var value in Model.Graphs.SelectMany(static g => g.Values))
        {
            _paths[value.Path] = value;
            if (!wanted.Contains(value.Path))
                continue;
            if (!IsReached(value.Graph))
                throw new ArgumentException($"'{value.Path}' is in the body of a {value.Graph.Owner!.OpType}", nameof(paths));
            for (var graph = value.Graph; graph.Owner is { } owner; graph = owner.Graph)
                branches.Add(graph);
            value.Type ??= new(ElementType.Float, default);
        }
        if (branches.Count == 0)
            return;
        // From the inside out: what an inner branch leaves are nodes of the outer one.
        foreach (var branch in Model.Graphs.Where(branches.Contains).Reverse().ToArray())
            Unfold(branch);
        Model.Graph.Sort();
    }

    /// <summary>The copy.</summary>
    public Model Model { get; }

    /// <summary>Whether all bodies around a graph are branches of If.</summary>
    public static bool IsReached(Graph graph) => graph.Owner is null ? graph.Parent is null : graph.Owner.Is("If") && IsReached(graph.Owner.Graph);

    /// <summary>The main graph's value that holds what a value of the model holds; null where there is none.</summary>
    /// <param name="path">The value's <see cref="Value.Path"/> in the model.</param>
    public Value? Find(string path) => _paths.TryGetValue(path, out var value) && Moved(value) is { Graph.Parent: null } found ? found : null;

    /// <summary>A boolean of the main graph that is true where the branch is taken that a value is of, and false or empty elsewhere; null for values of the
    /// main graph.</summary>
    /// <param name="path">The value's <see cref="Value.Path"/> in the model.</param>
    public Value? Taken(string path) => _paths.TryGetValue(path, out var value) && _taken.TryGetValue(value.Graph, out var taken) ? Moved(taken) : null;

    private Value Moved(Value value)
    {
        while (_moved.TryGetValue(value, out var next))
            value = next;
        return value;
    }

    private bool IsConstant(Value value) => value is { Constant: not null, IsGraphInput: false } || _constants.Contains(value);

    private void Unfold(Graph branch)
    {
        var choice = branch.Owner!;
        var graph = choice.Graph;
        var isThen = ReferenceEquals(choice.Attributes["then_branch"].Value, branch);
        var taken = graph.AddNode(isThen ? "Identity" : "Not", [choice.Inputs[0]], [branch.Path + "taken"], before: choice).Output;
        taken.Type = new(ElementType.Bool, default);
        _taken.Add(branch, taken);
        foreach (var initializer in branch.Initializers)
            _moved[initializer] = graph.AddInitializer(initializer.Path, initializer.Constant!);
        foreach (var node in branch.Nodes)
            Move(node, choice, isThen);
        var rest = new Graph(Model, graph) { Name = branch.Name };
        var made = new Dictionary<Value, Value>();
        foreach (var output in branch.Outputs)
        {
            var copy = rest.AddNode("Identity", [Import(output, branch, rest, made)], [output.Name]).Output;
            copy.Type = output.Type;
            copy.NonTensorType = output.NonTensorType;
            rest.AddOutput(copy);
        }
        choice.Attributes[isThen ? "then_branch" : "else_branch"] = rest;
    }

    /// <summary>Gives a node of a branch its place in the graph around it.</summary>
    private void Move(Node node, Node choice, bool isThen)
    {
        var graph = choice.Graph;
        if (OperatorRegistry.Find(node.Domain, node.OpType) is { IsDeterministic: true } && Graph.Dependencies(node).All(v => IsConstant(Moved(v))))
        {
            var outputs = GraphCloner.Append(node, graph, choice, Imported(node, node.Graph, graph, []), static o => o.Path).Outputs;
            foreach (var (from, to) in node.Outputs.Zip(outputs))
            {
                _moved[from] = to;
                _constants.Add(to);
            }
            return;
        }
        // What has no element type (a sequence, what is left unknown) cannot be given as empty: who reads it computes it anew.
        var given = node.Outputs.Where(static o => o.Name.Length > 0).ToList();
        if (given.Exists(static o => o.Type is null || ElementTypes.BitsOf(o.Type.ElementType) == 0))
            return;
        var (here, elsewhere) = (new Graph(Model, graph) { Name = "here" }, new Graph(Model, graph) { Name = "elsewhere" });
        foreach (var output in GraphCloner.Append(node, here, null, Imported(node, node.Graph, here, [])).Outputs.Where(static o => o.Name.Length > 0))
        {
            here.AddOutput(output);
            // A node, since not all runtimes let a branch give an initializer.
            var empty = elsewhere.AddNode("Constant", [], ["empty"]);
            empty.Attributes["value"] = new Tensor(output.Type!.ElementType, [0], default);
            elsewhere.AddOutput(empty.Output);
        }
        var moved = graph.AddNode("If", [choice.Inputs[0]], given.Select(static o => o.Path), before: choice);
        moved.Attributes["then_branch"] = isThen ? here : elsewhere;
        moved.Attributes["else_branch"] = isThen ? elsewhere : here;
        foreach (var (from, to) in given.Zip(moved.Outputs))
        {
            to.Type = new(from.Type!.ElementType, default);
            _moved[from] = to;
        }
    }

    /// <summary>What stands, in another graph, for all that a node reads of a branch.</summary>
    private Dictionary<Value, Value> Imported(Node node, Graph branch, Graph graph, Dictionary<Value, Value> made)
    {
        foreach (var read in Graph.Dependencies(node).Distinct().ToArray())
            made.TryAdd(read, Import(read, branch, graph, made));
        return made;
    }

    private Value Import(Value value, Graph branch, Graph graph, Dictionary<Value, Value> made)
    {
        if (made.TryGetValue(value, out var there))
            return there;
        if (!ReferenceEquals(value.Graph, branch) || _moved.ContainsKey(value) || value.Producer is not { } producer)
            return Moved(value);
        GraphCloner.Append(producer, graph, null, Imported(producer, branch, graph, made));
        return made[value];
    }
}
