namespace ModelBuild.Onnx.Simplification;

/// <summary>A place where channels of a group are multiplied and summed over: an input of a node, and the weights that it multiplies.</summary>
internal sealed class ChannelRead
{
    // Of the largest weight: the square of what single precision resolves.
    private const double Nothing = 1.0 / (1L << 48);

    // Numbers of other types are converted to be looked at.
    private const long MostConverted = 1 << 24;

    private readonly Node _node;
    private readonly ChannelAxis? _weights, _values;
    private readonly bool[]? _zero;

    private ChannelRead(Node node, ChannelAxis? weights, ChannelAxis? values)
    {
        (_node, _weights, _values) = (node, weights, values);
        if (weights is not null && node.Inputs[weights.Input]!.Constant is { } tensor)
            _zero = ZeroSlices(tensor, weights.Axis);
    }

    /// <summary>All places where a group's channels are read.</summary>
    public static IReadOnlyList<ChannelRead> Of(ChannelGroup group, PassContext context)
    {
        var reads = new List<ChannelRead>();
        foreach (var node in group.Members.SelectMany(static m => m.Node is { } node ? [node] : m.Value!.Uses.Select(static u => u.Node)).Distinct())
            foreach (var tie in AxisMap.Of(node, context.Inference, context.Model.Opsets.GetValueOrDefault(node.Domain, 1)).Ties)
                if (((NodeAxis[])[tie.From.At, tie.To.At]).Select(at => MemberAt(group, node, at)).OfType<ChannelAxis>().ToList() is { Count: > 0 } ends)
                    reads.Add(new(node, ends.Find(static e => e.Node is not null), ends.Find(static e => e.Value is not null)));
        return reads;
    }

    private static ChannelAxis? MemberAt(ChannelGroup group, Node node, NodeAxis at) => at.IsOutput || node.Inputs[at.Index] is not { } value ? null
        : group.Members.FirstOrDefault(m => m.Axis == at.Axis && (value.Constant is null ? m.Value == value : m.Node == node && m.Input == at.Index));

    /// <summary>Whether a channel adds nothing here, or what a bias can take over.</summary>
    public bool IsDead(int channel, ConstantChannels constants) =>
        _weights is not null && IndicesOf(_weights, channel).All(i => _zero![i])
        || _values is not null && IndicesOf(_values, channel).All(i =>
            constants.Of(_values)[i] is var value && (value == 0 || CanFold && double.IsFinite(value)));

    /// <summary>What of channels that go is to be folded: the index of each, and its value.</summary>
    public IEnumerable<(ChannelRead Read, int Index, double Value)> Folded(IReadOnlySet<int> gone, ConstantChannels constants)
    {
        for (var i = 0; _values is not null && CanFold && i < _values.Channels.Count; i++)
            if (gone.Contains(_values.Channels[i]) && constants.Of(_values)[i] is var value && value != 0 && double.IsFinite(value))
                yield return (this, i, value);
    }

    /// <summary>Adds what a constant channel adds to the outputs to the bias.</summary>
    public void Fold(int index, double value)
    {
        var weights = _node.Inputs[_weights!.Input]!.Constant!;
        var numbers = Numbers.Doubles(weights);
        var outputs = _node.Is("Gemm") ? 1 - _weights.Axis : 0;
        var bias = _node.Input(2)?.Constant is not { } old ? new double[weights.Shape[outputs]]
            : _node.Is("Gemm") ? ChannelParameter.Of(old, 2, 1, (int)weights.Shape[outputs])! : Numbers.Doubles(old);
        var inner = Indexing.Product(weights.Shape.AsSpan(), _weights.Axis + 1, weights.Rank);
        var perOutput = Indexing.Product(weights.Shape.AsSpan(), outputs + 1, weights.Rank);
        for (var i = 0L; i < numbers.Length; i++)
            if (i / inner % weights.Shape[_weights.Axis] == index)
                bias[i / perOutput % bias.Length] += numbers[i] * value;
        _node.SetInput(2, _node.Graph.AddInitializer(_node.Input(2)?.Name ?? $"{_node.DisplayName}/bias",
            Numbers.Of(weights.ElementType, [bias.Length], bias)));
    }

    /// <summary>A padded convolution sees the channel end at the border.</summary>
    private bool CanFold => _weights is { Input: 1 } && _node.Domain.Length == 0 && _node.OpType switch
    {
        "Conv" => _node.Int("group", 1) == 1 && _node.String("auto_pad", "NOTSET") is "NOTSET" or "VALID"
            && _node.Ints("pads")?.Any(static p => p != 0) != true && _node.Input(2) is null or { Constant: not null },
        "Gemm" => _node.Float("alpha", 1) == 1 && _node.Float("beta", 1) == 1 && (_node.Input(2) is null || _node.Input(2)!.Constant is { } bias
            && ChannelParameter.Of(bias, 2, 1, (int)_node.Inputs[1]!.Constant!.Shape[1 - _weights.Axis]) is not null),
        _ => false,
    };

    private static IEnumerable<int> IndicesOf(ChannelAxis axis, int channel) =>
        Enumerable.Range(0, axis.Channels.Count).Where(i => axis.Channels[i] == channel);

    /// <summary>Of which slices along an axis all elements are 0, or so small beside the others that no sum shows them: weight decay leaves such.</summary>
    public static bool[] ZeroSlices(Tensor tensor, int axis)
    {
        var zero = new bool[tensor.Shape[axis]];
        if (tensor.ElementType != ElementType.Float && tensor.Length > MostConverted || tensor.Length == 0)
            return zero;
        var values = tensor.ElementType == ElementType.Float ? tensor.Span<float>()
            : Array.ConvertAll(Numbers.Doubles(tensor), static v => (float)v);
        var most = 0f;
        foreach (var value in values)
            if (Math.Abs(value) is var magnitude && magnitude > most)
                most = magnitude;
        var least = most * Nothing;
        Array.Fill(zero, true);
        var (left, inner) = (zero.Length, (int)Indexing.Product(tensor.Shape.AsSpan(), axis + 1, tensor.Rank));
        for (var start = 0; start < values.Length && left > 0; start += inner)
            if (start / inner % zero.Length is var index && zero[index] && HasMore(values.Slice(start, inner), least))
            {
                zero[index] = false;
                left--;
            }
        return zero;
    }

    private static bool HasMore(ReadOnlySpan<float> values, double least)
    {
        foreach (var value in values)
            if (!(Math.Abs(value) <= least))
                return true;
        return false;
    }
}
