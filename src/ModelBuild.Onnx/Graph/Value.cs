namespace ModelBuild.Onnx;

/// <summary>One place where a value is used: an input of a node.</summary>
/// <param name="Node">The node that reads the value; it may lie in a subgraph of the graph that owns the value.</param>
/// <param name="Index">Which of the node's inputs.</param>
public readonly record struct Use(Node Node, int Index);

/// <summary>
/// A value of a graph: an input, an initializer, or an output of a node. It knows its producer and all its uses.
/// </summary>
public sealed class Value
{
    private readonly List<Use> _uses = [];

    internal Value(Graph graph, string name)
    {
        Graph = graph;
        Name = name;
    }

    /// <summary>The graph that the value belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>The name, unique in its graph. Names of graph inputs and outputs are the model's interface.</summary>
    public string Name { get; internal set; }

    /// <summary>
    /// The name with the path of its graph in front: unique in the model. In the main graph that is the name; in a body it is preceded by the key of the node
    /// that the body belongs to and the body's attribute, <c>y/then_branch/h</c>.
    /// </summary>
    public string Path => Graph.Path + Name;

    /// <summary>Element type and shape as far as known; declared by the file or inferred. Null for values that are not tensors, or where nothing is
    /// known.</summary>
    public TensorType? Type { get; set; }

    /// <summary>For values that are not tensors (sequence, optional, map): the type message as read, carried through.</summary>
    public object? NonTensorType { get; set; }

    /// <summary>The declaration as read (documentation, denotations), or null where the file declared no type of the value.</summary>
    internal Proto.ValueInfoProto? CarriedType { get; set; }

    /// <summary>What was read of an initializer apart from its data.</summary>
    internal Proto.TensorProto? CarriedTensor { get; set; }

    /// <summary>The data of an initializer, else null.</summary>
    public Tensor? Constant { get; internal set; }

    /// <summary>The node that makes the value; null for inputs and initializers.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>Which of the producer's outputs this is.</summary>
    public int ProducerIndex { get; internal set; }

    /// <summary>The inputs of nodes that read the value, in no particular order.</summary>
    public IReadOnlyList<Use> Uses => _uses;

    /// <summary>Whether the value is listed as an output of its graph.</summary>
    public bool IsGraphOutput => Graph.OutputList.Contains(this);

    /// <summary>Whether the value is listed as an input of its graph.</summary>
    public bool IsGraphInput => Graph.InputList.Contains(this);

    /// <summary>Subgraphs that list the value, which belongs to a graph around them, as an output.</summary>
    internal List<Graph> HandedOutBy { get; } = [];

    /// <summary>Whether a subgraph gives the value, which belongs to a graph around it, as its own output.</summary>
    public bool IsHandedOut => HandedOutBy.Count > 0;

    /// <summary>Whether nothing reads the value and it is no output of a graph.</summary>
    public bool IsUnused => _uses.Count == 0 && HandedOutBy.Count == 0 && !IsGraphOutput;

    /// <summary>The one node that reads the value, where there is exactly one use and the value is no output of a graph; else null.</summary>
    public Node? OnlyUser => _uses.Count == 1 && HandedOutBy.Count == 0 && !IsGraphOutput ? _uses[0].Node : null;

    /// <summary>Gives an initializer other data, for everything that reads it; for one reader alone there is <see cref="Node.SetConstant"/>.</summary>
    /// <exception cref="InvalidOperationException">The value is no initializer.</exception>
    public void SetConstant(Tensor data)
    {
        if (Constant is null)
            throw new InvalidOperationException($"'{Name}' is no initializer");
        (Constant, Type) = (data, data.Type);
    }

    internal void AddUse(Use use) => _uses.Add(use);

    internal void RemoveUse(Use use) => _uses.Remove(use);

    /// <inheritdoc/>
    public override string ToString() => Type is null ? Name : $"{Name}: {Type}";
}
