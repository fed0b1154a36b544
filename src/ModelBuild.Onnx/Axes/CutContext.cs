namespace ModelBuild.Onnx;

/// <summary>
/// One node whose operator is asked how it changes where axes keep some indices only: which do, after all that are linked were cut alike, and where to put what
/// changes.
/// </summary>
public sealed class CutContext
{
    private readonly IReadOnlyDictionary<NodeAxis, long[]> _kept;
    private readonly Func<NodeAxis, long?> _length;
    private readonly AxesContext _known;

    internal CutContext(AxesContext known, IReadOnlyDictionary<NodeAxis, long[]> kept, Func<NodeAxis, long?> length)
    {
        _known = known;
        _kept = kept;
        _length = length;
    }

    /// <summary>The node, for its attributes.</summary>
    public Node Node => _known.Node;

    /// <summary>The version of the operator set that the node belongs to.</summary>
    public long Opset => _known.Opset;

    /// <summary>Attributes that change; null where one is taken away.</summary>
    internal Dictionary<string, AttributeValue?> Attributes { get; } = new(StringComparer.Ordinal);

    /// <summary>Parameters that change.</summary>
    internal Dictionary<int, Tensor> Inputs { get; } = [];

    /// <summary>The number of dimensions of an input, or -1.</summary>
    public int Rank(int input) => _known.Rank(input);

    /// <summary>The number of dimensions of an output, or -1.</summary>
    public int OutputRank(int output) => _known.OutputRank(output);

    /// <summary>Whether an input is given.</summary>
    public bool Has(int input) => _known.Has(input);

    /// <summary>Whether an axis loses slices.</summary>
    public bool IsCut(NodeAxis axis) => _kept.ContainsKey(axis);

    /// <summary>Whether an axis of an input loses slices.</summary>
    public bool CutsInput(int input, int axis) => IsCut(NodeAxis.OfInput(input, axis));

    /// <summary>Whether an axis of an output loses slices.</summary>
    public bool CutsOutput(int output, int axis) => IsCut(NodeAxis.OfOutput(output, axis));

    /// <summary>Whether the size of an axis is a number.</summary>
    public bool IsNumber(NodeAxis axis) => _length(axis) is not null;

    /// <summary>How long an axis was.</summary>
    /// <exception cref="InvalidOperationException">It is not a number.</exception>
    public long Length(NodeAxis axis) => _length(axis) ?? throw new InvalidOperationException($"the size of {axis} is not a number");

    /// <summary>The indices that an axis keeps, in order.</summary>
    public long[] Kept(NodeAxis axis) => _kept.TryGetValue(axis, out var k) ? k : [.. Enumerable.Range(0, (int)Length(axis)).Select(static i => (long)i)];

    /// <summary>The indices that an axis of an input keeps, in order.</summary>
    public long[] OfInput(int input, int axis) => Kept(NodeAxis.OfInput(input, axis));

    /// <summary>The indices that an axis of an output keeps, in order.</summary>
    public long[] OfOutput(int output, int axis) => Kept(NodeAxis.OfOutput(output, axis));

    /// <summary>The elements of an integer input that is constant, else null.</summary>
    public long[]? Integers(int input) => _known.Integers(input);

    /// <summary>Changes an attribute; null takes it away.</summary>
    public void Set(string attribute, AttributeValue? value) => Attributes[attribute] = value;

    /// <summary>Changes a parameter.</summary>
    public void SetInput(int input, Tensor value) => Inputs[input] = value;

    /// <summary>Changes a parameter of integers, which keeps its element type, and its shape where the number of elements is the same.</summary>
    public void SetIntegers(int input, long[] values)
    {
        var old = _known.Constant(input);
        Inputs[input] = Numbers.Of(old?.ElementType ?? ElementType.Int64, old?.Length == values.Length ? old.Shape : [values.Length], values);
    }

    /// <summary>Changes integers that are an attribute in older versions of the operator and an input in newer ones.</summary>
    public void SetIntegers(string attribute, int input, int sinceInput, long[] values)
    {
        if (Opset < sinceInput)
            Set(attribute, values);
        else
            SetIntegers(input, values);
    }

    /// <summary>What the statement of axes knows.</summary>
    internal AxesContext Known => _known;
}
