namespace ModelBuild.Onnx;

/// <summary>
/// An editable graph: values with their producers and uses, and nodes in an order in which they can run.
/// </summary>
/// <remarks>Not thread safe. Subgraphs refer to values of the graphs around them directly.</remarks>
public sealed class Graph
{
    private readonly Dictionary<string, Value> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _suffixes = new(StringComparer.Ordinal);
    private readonly List<Node> _nodes = [];
    private readonly List<Value> _initializers = [];
    private string _attribute = "";

    /// <summary>A graph of a model.</summary>
    /// <param name="model">The model that numbers the nodes.</param>
    /// <param name="parent">The graph around a subgraph, else null.</param>
    public Graph(Model model, Graph? parent = null)
    {
        Model = model;
        Parent = parent;
    }

    internal List<Value> InputList { get; } = [];

    internal List<Value> OutputList { get; } = [];

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>The graph around a subgraph, else null.</summary>
    public Graph? Parent { get; }

    /// <summary>The node that a subgraph belongs to, which has it as an attribute; null for the main graph.</summary>
    public Node? Owner { get; private set; }

    /// <summary>What precedes the names of its values where they are told apart from those of all other graphs of the model; empty for the main
    /// graph.</summary>
    public string Path => Owner is null ? "" : $"{Owner.Key}/{_attribute}/";

    internal void BelongTo(Node node, string attribute) => (Owner, _attribute) = (node, attribute);

    /// <summary>The graph's name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Documentation as read.</summary>
    public string DocString { get; set; } = "";

    /// <summary>Metadata as read.</summary>
    public List<KeyValuePair<string, string>> Metadata { get; } = [];

    /// <summary>Parts of the message that are carried through untouched, or null.</summary>
    internal object? Carried { get; set; }

    /// <summary>Initializers that are stored sparse, as read. Their values have no <see cref="Value.Constant"/>.</summary>
    internal List<(Value Value, Proto.SparseTensorProto Data)> SparseInitializers { get; } = [];

    internal void AddSparseInitializer(string name, Proto.SparseTensorProto data)
    {
        var value = AddValue(name, TensorType.Of((ElementType)data.Values.DataType, data.Dims.ToArray()));
        SparseInitializers.Add((value, data));
    }

    /// <summary>Inputs in their declared order. An initializer that is also listed as an input (IR 3 style: a default) is among them.</summary>
    public IReadOnlyList<Value> Inputs => InputList;

    /// <summary>Outputs in their declared order.</summary>
    public IReadOnlyList<Value> Outputs => OutputList;

    /// <summary>Initializers.</summary>
    public IReadOnlyList<Value> Initializers => _initializers;

    /// <summary>Nodes, in an order in which they can run.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>All values of this graph (not of those around it).</summary>
    public IReadOnlyCollection<Value> Values => _values.Values;

    /// <summary>The value of a name in this graph or, for a subgraph, in those around it; null where there is none.</summary>
    public Value? Find(string name) => _values.TryGetValue(name, out var v) ? v : Parent?.Find(name);

    /// <summary>A name that no value has, near the wished one.</summary>
    public string UniqueName(string wish)
    {
        if (Find(wish) is null && wish.Length > 0)
            return wish;
        // Counting on from the last suffix: from 1 every time, many equal wishes would take quadratic time.
        for (var i = _suffixes.GetValueOrDefault(wish) + 1; ; i++)
        {
            var name = $"{wish}_{i}";
            if (Find(name) is not null)
                continue;
            _suffixes[wish] = i;
            return name;
        }
    }

    /// <summary>A new value without producer.</summary>
    /// <exception cref="ArgumentException">The name is taken in this graph.</exception>
    public Value AddValue(string name, TensorType? type = null)
    {
        var value = new Value(this, name) { Type = type };
        // An omitted output has no name and may occur any number of times.
        if (name.Length > 0 && !_values.TryAdd(name, value))
            throw new ArgumentException($"the graph has two values named '{name}'", nameof(name));
        return value;
    }

    /// <summary>A new graph input.</summary>
    public Value AddInput(string name, TensorType? type)
    {
        var value = AddValue(name, type);
        InputList.Add(value);
        return value;
    }

    /// <summary>Lists an existing value as an input (an initializer with a default).</summary>
    public void MarkInput(Value value) => InputList.Add(value);

    /// <summary>Takes an initializer off the list of inputs.</summary>
    public void UnmarkInput(Value value) => InputList.Remove(value);

    /// <summary>Lists a value as an output.</summary>
    public void AddOutput(Value value)
    {
        OutputList.Add(value);
        if (!ReferenceEquals(value.Graph, this))
            value.HandedOutBy.Add(this);
    }

    /// <summary>Takes a value off the list of outputs.</summary>
    public void RemoveOutput(Value value)
    {
        if (OutputList.Remove(value))
            value.HandedOutBy.Remove(this);
    }

    /// <summary>A new initializer; the name gets a suffix where it is taken.</summary>
    public Value AddInitializer(string name, Tensor data)
    {
        var value = AddValue(UniqueName(name), data.Type);
        value.Constant = data;
        _initializers.Add(value);
        return value;
    }

    /// <summary>Gives an existing value (an input with a default) data.</summary>
    public void MarkInitializer(Value value, Tensor data)
    {
        value.Constant = data;
        value.Type ??= data.Type;
        _initializers.Add(value);
    }

    /// <summary>A new node with new outputs, placed last or before another node.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="inputs">Inputs; null where one is left out.</param>
    /// <param name="outputs">Names of the outputs, each made unique; an empty one is left out.</param>
    /// <param name="domain">The operator's domain, empty for the standard one.</param>
    /// <param name="before">The node to place the new one before, or null to place it last.</param>
    public Node AddNode(string opType, IEnumerable<Value?> inputs, IEnumerable<string> outputs, string domain = "", Node? before = null)
    {
        var node = new Node(this, Model.NextNodeId(), opType, domain);
        var i = 0;
        foreach (var input in inputs)
            node.SetInput(i++, input);
        foreach (var name in outputs)
            node.AddOutput(name.Length == 0 ? new Value(this, "") : AddValue(UniqueName(name)));
        Insert(node, before);
        return node;
    }

    /// <summary>Adds an output to a node that may have more of them: the mask of a Dropout, a further result of an If or Loop.</summary>
    /// <param name="node">A node of this graph.</param>
    /// <param name="name">The wished name, made unique.</param>
    public Value AddOutput(Node node, string name)
    {
        if (!ReferenceEquals(node.Graph, this))
            throw new ArgumentException("the node is not in this graph", nameof(node));
        var value = AddValue(UniqueName(name));
        node.AddOutput(value);
        return value;
    }

    /// <summary>A new node over existing values: for import and copies, where names are given and may be used before they are made.</summary>
    internal Node AddNode(int id, string opType, string domain, IReadOnlyList<Value?> inputs, IReadOnlyList<Value> outputs)
    {
        var node = new Node(this, id, opType, domain);
        for (var i = 0; i < inputs.Count; i++)
            if (inputs[i] is { } input)
                node.SetInput(i, input);
        foreach (var output in outputs)
            node.AddOutput(output);
        _nodes.Add(node);
        return node;
    }

    private void Insert(Node node, Node? before)
    {
        if (before is null)
        {
            _nodes.Add(node);
            return;
        }
        var index = _nodes.IndexOf(before);
        if (index < 0)
            throw new ArgumentException("the node to place before is not in this graph", nameof(before));
        _nodes.Insert(index, node);
    }

    /// <summary>Removes a node whose outputs are unused.</summary>
    /// <exception cref="InvalidOperationException">An output is still used.</exception>
    public void Remove(Node node)
    {
        foreach (var output in node.Outputs)
            if (output.Name.Length > 0 && !output.IsUnused)
                throw new InvalidOperationException($"'{output.Name}' is still used");
        node.Attributes.Release();
        node.Disconnect();
        foreach (var output in node.Outputs)
            if (output.Name.Length > 0)
                _values.Remove(output.Name);
        _nodes.Remove(node);
        node.IsRemoved = true;
    }

    /// <summary>Takes back all uses of values of the graphs around a subgraph that is given up.</summary>
    internal void Release()
    {
        foreach (var node in _nodes)
        {
            node.Attributes.Release();
            node.Disconnect();
        }
        foreach (var output in OutputList)
            output.HandedOutBy.Remove(this);
    }

    /// <summary>Removes an initializer or input that nothing uses.</summary>
    /// <exception cref="InvalidOperationException">The value is still used.</exception>
    public void Remove(Value value)
    {
        if (!value.IsUnused || value.Producer is not null)
            throw new InvalidOperationException($"'{value.Name}' is still used");
        _initializers.Remove(value);
        SparseInitializers.RemoveAll(s => ReferenceEquals(s.Value, value));
        InputList.Remove(value);
        _values.Remove(value.Name);
    }

    /// <summary>
    /// Lets everything that reads <paramref name="old"/> read <paramref name="replacement"/>. Where <paramref name="old"/> is an output of the graph, its
    /// name stays the output's name: the replacement takes it over, or an Identity is placed where it cannot (an input, an initializer, another output).
    /// </summary>
    public void Replace(Value old, Value replacement)
    {
        if (ReferenceEquals(old, replacement))
            return;
        foreach (var use in old.Uses.ToArray())
            use.Node.SetInput(use.Index, replacement);
        foreach (var inner in old.HandedOutBy.ToArray())
        {
            inner.OutputList[inner.OutputList.IndexOf(old)] = replacement;
            old.HandedOutBy.Remove(inner);
            replacement.HandedOutBy.Add(inner);
        }
        if (!old.IsGraphOutput)
            return;
        if (replacement.Producer is not null && !replacement.IsGraphOutput && ReferenceEquals(replacement.Graph, this))
        {
            var name = old.Name;
            Rename(old, UniqueName(name + "_replaced"));
            Rename(replacement, name);
            // The output's declaration is the model's interface, too.
            replacement.Type = old.Type ?? replacement.Type;
            replacement.CarriedType = old.CarriedType;
            for (var i = 0; i < OutputList.Count; i++)
                if (ReferenceEquals(OutputList[i], old))
                    OutputList[i] = replacement;
        }
        else
        {
            var name = old.Name;
            var type = old.Type;
            Rename(old, UniqueName(name + "_replaced"));
            var identity = AddNode("Identity", [replacement], [name]);
            identity.Sources = old.Producer?.Sources ?? [];
            identity.Output.Type = type ?? replacement.Type;
            identity.Output.CarriedType = old.CarriedType;
            for (var i = 0; i < OutputList.Count; i++)
                if (ReferenceEquals(OutputList[i], old))
                    OutputList[i] = identity.Output;
        }
    }

    /// <summary>Gives a value another name.</summary>
    public void Rename(Value value, string name)
    {
        if (value.Name == name)
            return;
        if (_values.ContainsKey(name))
            throw new ArgumentException($"the graph has a value named '{name}'", nameof(name));
        _values.Remove(value.Name);
        value.Name = name;
        _values.Add(name, value);
    }

    /// <summary>Puts the nodes in an order in which they can run; the present order decides where several could be next.</summary>
    /// <exception cref="InvalidOperationException">The graph has a cycle.</exception>
    public void Sort()
    {
        var position = new Dictionary<Node, int>(_nodes.Count);
        for (var i = 0; i < _nodes.Count; i++)
            position.Add(_nodes[i], i);
        var waiting = new int[_nodes.Count];
        var dependents = new List<int>?[_nodes.Count];
        for (var i = 0; i < _nodes.Count; i++)
            foreach (var input in Dependencies(_nodes[i]))
                if (input.Producer is { } producer && position.TryGetValue(producer, out var from) && from != i)
                {
                    (dependents[from] ??= []).Add(i);
                    waiting[i]++;
                }
        var ready = new PriorityQueue<int, int>();
        for (var i = 0; i < waiting.Length; i++)
            if (waiting[i] == 0)
                ready.Enqueue(i, i);
        var sorted = new List<Node>(_nodes.Count);
        while (ready.TryDequeue(out var next, out _))
        {
            sorted.Add(_nodes[next]);
            foreach (var d in dependents[next] ?? [])
                if (--waiting[d] == 0)
                    ready.Enqueue(d, d);
        }
        if (sorted.Count != _nodes.Count)
            throw new InvalidOperationException($"the graph has a cycle through '{_nodes[Array.FindIndex(waiting, w => w > 0)].DisplayName}'");
        _nodes.Clear();
        _nodes.AddRange(sorted);
    }

    /// <summary>All values that a node reads, those that its subgraphs capture included.</summary>
    public static IEnumerable<Value> Dependencies(Node node)
    {
        foreach (var input in node.Inputs)
            if (input is not null)
                yield return input;
        foreach (var graph in node.Attributes.Values.SelectMany(a => a.Graphs))
        {
            foreach (var inner in graph.Nodes)
                foreach (var captured in Dependencies(inner))
                    if (!ReferenceEquals(captured.Graph, graph))
                        yield return captured;
            // A subgraph may hand a captured value straight out.
            foreach (var output in graph.Outputs)
                if (!ReferenceEquals(output.Graph, graph))
                    yield return output;
        }
    }
}
