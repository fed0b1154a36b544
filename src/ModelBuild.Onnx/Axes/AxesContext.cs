using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>One node whose operator is asked where its axes come from: what is known of inputs and outputs, and where to put the answer.</summary>
public sealed class AxesContext
{
    private readonly InferenceResult _types;
    private readonly List<AxisLink> _links = [];
    private readonly List<AxisLink> _ties = [];
    private readonly Dictionary<NodeAxis, AxisKind> _kinds = [];

    internal AxesContext(Node node, InferenceResult types, long opset)
    {
        Node = node;
        _types = types;
        Opset = opset;
    }

    /// <summary>The node, for its attributes.</summary>
    public Node Node { get; }

    /// <summary>The version of the operator set that the node belongs to.</summary>
    public long Opset { get; }

    /// <summary>The number of inputs, omitted ones in the middle included.</summary>
    public int InputCount => Node.Inputs.Count;

    /// <summary>The number of outputs, omitted ones in the middle included.</summary>
    public int OutputCount => Node.Outputs.Count;

    /// <summary>Whether an input is given.</summary>
    public bool Has(int input) => Node.Input(input) is not null;

    /// <summary>The shape of an input; <c>default</c> where the rank is unknown or the input is left out.</summary>
    public ImmutableArray<Dimension> Shape(int input) =>
        Node.Input(input) is { } v ? _types.ConstantOf(v)?.Type.Shape ?? _types.TypeOf(v)?.Shape ?? default : default;

    /// <summary>The shape of an output; <c>default</c> where the rank is unknown.</summary>
    public ImmutableArray<Dimension> OutputShape(int output) => output < OutputCount ? _types.TypeOf(Node.Outputs[output])?.Shape ?? default : default;

    /// <summary>The number of dimensions of an input, or -1.</summary>
    public int Rank(int input) => Shape(input) is { IsDefault: false } s ? s.Length : -1;

    /// <summary>The number of dimensions of an output, or -1.</summary>
    public int OutputRank(int output) => OutputShape(output) is { IsDefault: false } s ? s.Length : -1;

    /// <summary>The size of an axis of an input; unknown where it is not known or there is no such axis.</summary>
    public Dimension Size(int input, int axis) => Shape(input) is { IsDefault: false } s && axis >= 0 && axis < s.Length ? s[axis] : Dimension.Unknown;

    /// <summary>The size of an axis of an output; unknown where it is not known or there is no such axis.</summary>
    public Dimension OutputSize(int output, int axis) =>
        OutputShape(output) is { IsDefault: false } s && axis >= 0 && axis < s.Length ? s[axis] : Dimension.Unknown;

    /// <summary>The data of an input that is constant, else null.</summary>
    public Tensor? Constant(int input) => Node.Input(input) is { } v ? _types.ConstantOf(v) : null;

    /// <summary>The elements of an integer input that is constant, else null.</summary>
    public long[]? Integers(int input) => Constant(input) is { } t && (ElementTypes.IsInteger(t.ElementType) || t.ElementType == ElementType.Bool)
        ? Numbers.Integers(t)
        : Elements(input) is { } e && e.All(static d => d.IsConstant) ? [.. e.Select(static d => d.Value)] : null;

    /// <summary>The elements of a small integer input as far as they are known, else null.</summary>
    public ImmutableArray<Dimension>? Elements(int input)
    {
        if (Node.Input(input) is not { } v)
            return null;
        if (_types.ElementsOf(v) is { } known)
            return known.Elements;
        return Constant(input) is { Length: <= SymbolicTensor.MaxLength } t && ElementTypes.IsInteger(t.ElementType)
            ? [.. Numbers.Integers(t).Select(static n => Dimension.Of(n))] : null;
    }

    /// <summary>The end of a link at an input.</summary>
    public static AxisEnd In(int input, int axis) => new(NodeAxis.OfInput(input, axis));

    /// <summary>The end of a link at an output.</summary>
    public static AxisEnd Out(int output, int axis) => new(NodeAxis.OfOutput(output, axis));

    /// <summary>An axis of an input is an axis of an output, index by index.</summary>
    public void Link(int input, int inputAxis, int output, int outputAxis) =>
        Link(In(input, inputAxis), Out(output, outputAxis), Size(input, inputAxis) is { IsUnknown: false } size ? size : OutputSize(output, outputAxis));

    /// <summary>An axis of an input and one of an output share a coordinate. Ignored where either is left out.</summary>
    public void Link(AxisEnd from, AxisEnd to, Dimension size)
    {
        if (Exists(from.At) && Exists(to.At))
            _links.Add(new(from, to, size));
    }

    /// <summary>Axes of two inputs, or of an input and an output, are cut together, without standing apart in the result.</summary>
    public void Tie(AxisEnd a, AxisEnd b, Dimension size)
    {
        if (Exists(a.At) && Exists(b.At))
            _ties.Add(new(a, b, size));
    }

    /// <summary>Axes of two inputs are multiplied together and summed over.</summary>
    public void Contract(int first, int firstAxis, int second, int secondAxis) =>
        Tie(In(first, firstAxis), In(second, secondAxis), Size(first, firstAxis) is { IsUnknown: false } size ? size : Size(second, secondAxis));

    /// <summary>Every axis of an input is the output's of the same number.</summary>
    /// <param name="input">The input.</param>
    /// <param name="output">The output.</param>
    /// <param name="except">Axes of which that is not so.</param>
    public void Same(int input = 0, int output = 0, params ReadOnlySpan<int> except)
    {
        for (var i = 0; i < Math.Max(Rank(input), OutputRank(output)); i++)
            if (!except.Contains(i))
                Link(input, i, output, i);
    }

    /// <summary>An input is broadcast to an output, shapes aligned at their ends.</summary>
    /// <param name="input">The input.</param>
    /// <param name="output">The output.</param>
    /// <param name="behind">Dimensions of the output behind those of the input.</param>
    public void Broadcast(int input, int output = 0, int behind = 0)
    {
        var (rank, outputRank) = (Rank(input), OutputRank(output));
        for (var i = 0; rank >= 0 && outputRank >= 0 && i < rank; i++)
            if (outputRank - behind - rank + i is >= 0 and var axis)
                BroadcastAxis(input, i, output, axis);
    }

    /// <summary>One axis of an input is an output's, or is repeated along it where its size is 1.</summary>
    public void BroadcastAxis(int input, int inputAxis, int output, int outputAxis)
    {
        var (d, e) = (Size(input, inputAxis), OutputSize(output, outputAxis));
        if (d == e && !d.IsUnknown)
            Link(input, inputAxis, output, outputAxis);
        // A size of 1 has no second slice to tell apart; other sizes may be 1 in some call, which counting round allows for.
        else if (d != 1 && !(d.IsConstant && e.IsConstant))
            Link(In(input, inputAxis), Out(output, outputAxis) with { Outer = Dimension.Unknown }, d);
    }

    /// <summary>Every input is broadcast to an output.</summary>
    public void BroadcastAll()
    {
        for (var i = 0; i < InputCount; i++)
            Broadcast(i);
        // Axes that are 1 in all inputs.
        if (Enumerable.Range(0, InputCount).All(i => !Has(i) || Rank(i) >= 0))
            Rest(AxisKind.New);
    }

    /// <summary>What an axis of an output is that no input's axis is linked to.</summary>
    public void Set(int output, int axis, AxisKind kind) => _kinds[NodeAxis.OfOutput(output, axis)] = kind;

    /// <summary>What all axes of an output are that no input's axis is linked to, and of which nothing was said.</summary>
    public void Rest(AxisKind kind, int output = 0)
    {
        for (var i = 0; i < OutputRank(output); i++)
            _kinds.TryAdd(NodeAxis.OfOutput(output, i), kind);
    }

    /// <summary>Axes of an input are reduced; the others are the output's.</summary>
    internal void Reduce(IReadOnlySet<int> reduced, bool keepsDimensions)
    {
        for (int i = 0, to = 0; i < Rank(0); i++)
            if (!reduced.Contains(i))
                Link(0, i, 0, to++);
            else if (keepsDimensions)
                Set(0, to++, AxisKind.Mixed);
    }

    /// <summary>An axis of an output lists slices of an input's axis by number, each run of neighbours a link.</summary>
    internal void Select(int input, int inputAxis, int output, int outputAxis, ReadOnlySpan<long> indices)
    {
        const int maxRuns = 64;
        var runs = new List<(long From, int To, int Count, bool Down)>();
        for (var i = 0; i < indices.Length;)
        {
            var n = 1;
            var step = i + 1 < indices.Length ? indices[i + 1] - indices[i] : 0;
            while (step is 1 or -1 && i + n < indices.Length && indices[i + n] - indices[i + n - 1] == step)
                n++;
            runs.Add((indices[i], i, n, n > 1 && step < 0));
            i += n;
        }
        var size = Size(input, inputAxis);
        Set(output, outputAxis, AxisKind.Mixed);
        if (runs.Count > maxRuns || runs.Any(static r => r.From < 0) && !size.IsConstant)
            return;
        foreach (var (from, to, count, down) in runs)
            Link(In(input, inputAxis) with { Offset = from < 0 ? from + size : from, IsDescending = down }, Out(output, outputAxis) with { Offset = to },
                count);
    }

    internal AxisMap ToMap() => new(Node, [.. _links], [.. _ties], _kinds);

    private bool Exists(NodeAxis at)
    {
        var rank = at.IsOutput ? OutputRank(at.Index) : Rank(at.Index);
        return (at.IsOutput ? at.Index < OutputCount && Node.Outputs[at.Index].Name.Length > 0 : Has(at.Index)) && at.Axis >= 0 && (rank < 0 || at.Axis < rank);
    }
}
