using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>One application of an operator. Inputs are set through <see cref="SetInput"/>, so that use lists stay right.</summary>
public sealed class Node
{
    private readonly List<Value?> _inputs = [];
    private readonly List<Value> _outputs = [];

    internal Node(Graph graph, int id, string opType, string domain)
    {
        Graph = graph;
        Id = id;
        OpType = opType;
        Domain = domain;
        Attributes = new(this);
    }

    /// <summary>The graph that the node belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>A number that is unique in the model and never used again, so that plans may refer to nodes.</summary>
    public int Id { get; }

    /// <summary>The node's name; may be empty and need not be unique.</summary>
    public string Name { get; set; } = "";

    /// <summary>The operator.</summary>
    public string OpType { get; set; }

    /// <summary>The operator's domain; empty for the standard one (<c>ai.onnx</c> is written as empty).</summary>
    public string Domain { get; set; }

    /// <summary>The overload of a local function, mostly empty.</summary>
    public string Overload { get; set; } = "";

    /// <summary>Documentation as read.</summary>
    public string DocString { get; set; } = "";

    /// <summary>Metadata as read.</summary>
    public List<KeyValuePair<string, string>> Metadata { get; } = [];

    /// <summary>Whether the node was taken out of its graph.</summary>
    public bool IsRemoved { get; internal set; }

    /// <summary>Fields of the message that this library does not know, or null.</summary>
    internal object? Carried { get; set; }

    /// <summary>Attributes by name.</summary>
    public AttributeMap Attributes { get; }

    /// <summary>
    /// The names of the source model's nodes that this node came from (a nameless source node counts as <c>OpType(first output)</c>).
    /// Folding, fusion and lowering unite them, so that plans and reports speak of the user's layers.
    /// </summary>
    public ImmutableArray<string> Sources { get; set; } = [];

    /// <summary>Inputs; null where an optional input is left out.</summary>
    public IReadOnlyList<Value?> Inputs => _inputs;

    /// <summary>Outputs; one with an empty name is left out.</summary>
    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>The first output.</summary>
    public Value Output => _outputs[0];

    /// <summary>The input at an index, or null where the node has fewer or it is left out.</summary>
    public Value? Input(int index) => index < _inputs.Count ? _inputs[index] : null;

    /// <summary>Whether the node applies the given operator of the standard domain.</summary>
    public bool Is(string opType) => OpType == opType && Domain.Length == 0;

    /// <summary>Sets an input, growing the list where the index lies beyond it, and keeps the use lists right.</summary>
    public void SetInput(int index, Value? value)
    {
        // What is left out at the end is not listed.
        if (value is null && index >= _inputs.Count)
            return;
        while (_inputs.Count <= index)
            _inputs.Add(null);
        if (ReferenceEquals(_inputs[index], value))
            return;
        _inputs[index]?.RemoveUse(new(this, index));
        _inputs[index] = value;
        value?.AddUse(new(this, index));
        if (value is null)
            TrimInputs();
    }

    /// <summary>
    /// Gives an input that is an initializer other data. Where something else reads it, too, the node reads a copy from here on.
    /// </summary>
    /// <exception cref="InvalidOperationException">The input is no initializer, or one that the model's user may replace.</exception>
    public void SetConstant(int index, Tensor data)
    {
        if (Input(index) is not { Constant: not null, IsGraphInput: false } value)
            throw new InvalidOperationException($"input {index} of {DisplayName} is no initializer");
        if (value.OnlyUser is not null)
            value.SetConstant(data);
        else
            SetInput(index, value.Graph.AddInitializer(value.Name, data));
    }

    /// <summary>Drops inputs at the end of the list that are left out: that they are not listed means the same, and runtimes look only at how many there
    /// are.</summary>
    public void TrimInputs()
    {
        while (_inputs.Count > 0 && _inputs[^1] is null)
            _inputs.RemoveAt(_inputs.Count - 1);
    }

    /// <summary>An integer attribute, or the default where it is absent.</summary>
    public long Int(string name, long defaultValue = 0) => Attributes.TryGetValue(name, out var a) && a.Value is long v ? v : defaultValue;

    /// <summary>A float attribute, or the default where it is absent.</summary>
    public float Float(string name, float defaultValue = 0) => Attributes.TryGetValue(name, out var a) && a.Value is float v ? v : defaultValue;

    /// <summary>A string attribute, or the default where it is absent.</summary>
    public string String(string name, string defaultValue = "") =>
        Attributes.TryGetValue(name, out var a) && a.Value is byte[] v ? System.Text.Encoding.UTF8.GetString(v) : defaultValue;

    /// <summary>An attribute of integers, or null where it is absent.</summary>
    public long[]? Ints(string name) => Attributes.TryGetValue(name, out var a) && a.Value is ImmutableArray<long> v ? v.ToArray() : null;

    /// <summary>An attribute of floats, or null where it is absent.</summary>
    public float[]? Floats(string name) => Attributes.TryGetValue(name, out var a) && a.Value is ImmutableArray<float> v ? v.ToArray() : null;

    /// <summary>
    /// What plans and reports know the node by: the path (<see cref="Value.Path"/>) of its first output that is not left out, which no other node of the model
    /// has; empty where it has none.
    /// </summary>
    public string Key => _outputs.Find(static o => o.Name.Length > 0)?.Path ?? "";

    /// <summary>The operator, with its domain in front where that is not the standard one: <c>com.microsoft.Attention</c>.</summary>
    public string QualifiedOpType => Domain.Length > 0 ? $"{Domain}.{OpType}" : OpType;

    /// <summary>The name by which people are told of the node: its own, or operator and first output.</summary>
    public string DisplayName => Name.Length > 0 ? Name : $"{OpType}({(_outputs.Count > 0 ? _outputs[0].Name : "")})";

    internal void AddOutput(Value value)
    {
        value.Producer = this;
        value.ProducerIndex = _outputs.Count;
        _outputs.Add(value);
    }

    internal void Disconnect()
    {
        for (var i = _inputs.Count - 1; i >= 0; i--)
            _inputs[i]?.RemoveUse(new(this, i));
        _inputs.Clear();
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{OpType}({string.Join(", ", _inputs.Select(i => i?.Name ?? "-"))}) -> {string.Join(", ", _outputs.Select(o => o.Name))}";
}
