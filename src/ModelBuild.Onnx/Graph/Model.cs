namespace ModelBuild.Onnx;

/// <summary>An ONNX model: a graph, the operator sets it is written in, local functions and metadata.</summary>
public sealed class Model
{
    private int _nodeIds;

    /// <summary>An empty model.</summary>
    public Model() => Graph = new(this);

    /// <summary>The version of the file format.</summary>
    public long IrVersion { get; set; } = 8;

    /// <summary>The operator set versions by domain; the standard domain is the empty string.</summary>
    public Dictionary<string, long> Opsets { get; } = new(StringComparer.Ordinal);

    /// <summary>The version of the standard operator set; 0 where the model does not state one.</summary>
    public long Opset
    {
        get => Opsets.GetValueOrDefault("");
        set => Opsets[""] = value;
    }

    /// <summary>The tool that wrote the model.</summary>
    public string ProducerName { get; set; } = "";

    /// <summary>The version of the tool that wrote the model.</summary>
    public string ProducerVersion { get; set; } = "";

    /// <summary>The model's own domain.</summary>
    public string Domain { get; set; } = "";

    /// <summary>The model's own version.</summary>
    public long ModelVersion { get; set; }

    /// <summary>Documentation as read.</summary>
    public string DocString { get; set; } = "";

    /// <summary>Metadata.</summary>
    public List<KeyValuePair<string, string>> Metadata { get; } = [];

    /// <summary>The main graph.</summary>
    public Graph Graph { get; }

    /// <summary>All graphs: the main one, then each node's subgraphs in its order, the outer ones before the inner.</summary>
    public IEnumerable<Graph> Graphs => Within(Graph);

    /// <summary>The nodes of all graphs.</summary>
    public IEnumerable<Node> Nodes => Graphs.SelectMany(static graph => graph.Nodes);

    private static IEnumerable<Graph> Within(Graph graph) =>
        graph.Nodes.SelectMany(static node => node.Attributes.Values).SelectMany(static attribute => attribute.Graphs).SelectMany(Within).Prepend(graph);

    /// <summary>Parts of the file that are carried through untouched (functions, training information), as read.</summary>
    public List<object> CarriedThrough { get; } = [];

    /// <summary>
    /// A copy that can be edited apart from this model: graphs, nodes (with their ids) and values are copied, tensors are shared. It costs memory by the number
    /// of nodes, not by the size of weights.
    /// </summary>
    public Model Clone()
    {
        var copy = new Model
        {
            IrVersion = IrVersion,
            ProducerName = ProducerName,
            ProducerVersion = ProducerVersion,
            Domain = Domain,
            ModelVersion = ModelVersion,
            DocString = DocString,
            _nodeIds = _nodeIds,
        };
        foreach (var (domain, version) in Opsets)
            copy.Opsets.Add(domain, version);
        copy.Metadata.AddRange(Metadata);
        copy.CarriedThrough.AddRange(CarriedThrough);
        GraphCloner.Fill(copy.Graph, Graph, []);
        return copy;
    }

    internal int NextNodeId() => _nodeIds++;
}
