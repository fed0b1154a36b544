namespace ModelBuild.Onnx.Simplification;

/// <summary>Channels that have one value everywhere, whatever the input: of filters of zeros their biases, and what later nodes make of those.</summary>
internal sealed class ConstantChannels(PassContext context)
{
    private static readonly HashSet<string> Elementwise = ["Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Selu",
        "Celu", "Softplus", "Softsign", "Mish", "Swish", "Gelu", "Erf", "Abs", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Add", "Sub", "Mul", "Div", "Min",
        "Max", "Pow", "Sum", "BatchNormalization", "Identity"];

    private static readonly HashSet<string> Moving = ["Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Concat", "Split", "Slice"];

    private readonly Dictionary<(Value Value, int Axis), double[]> _known = [];

    /// <summary>The value of each index; not a number where it is not known to have one.</summary>
    public double[] Of(ChannelAxis axis) => _known.GetValueOrDefault((axis.Value!, axis.Axis)) ?? Unknown(axis.Channels.Count);

    /// <summary>Follows the channels of a group through its nodes.</summary>
    public void Follow(ChannelGroup group)
    {
        var members = group.Members.Where(static m => m.Value is not null).GroupBy(static m => m.Value!)
            .ToDictionary(static g => g.Key, static g => g.ToArray());
        foreach (var node in context.Model.Graph.Nodes)
            foreach (var output in node.Outputs)
                foreach (var member in members.GetValueOrDefault(output) ?? [])
                    _known[(output, member.Axis)] = Made(group, node, member);
    }

    private double[] Made(ChannelGroup group, Node node, ChannelAxis output)
    {
        var unknown = Unknown(output.Channels.Count);
        if (node.Domain.Length > 0)
            return unknown;
        switch (node.OpType)
        {
            case "Conv" or "Gemm" or "MatMul":
                return ByWeights(group, node, output) ?? unknown;
            case "MaxPool" or "GlobalMaxPool" or "GlobalAveragePool":
                return Same(group, node, output) ?? unknown;
            case "AveragePool" or "Resize" or "Pad":
                return KeepsZeros(node) && Same(group, node, output) is { } values
                    ? [.. values.Select(static v => v == 0 ? 0 : double.NaN)] : unknown;
            case var op when Elementwise.Contains(op):
                return Computed(group, node, output) ?? unknown;
            case var op when Moving.Contains(op):
                return Moved(group, node, output) ?? unknown;
            default:
                return unknown;
        }
    }

    /// <summary>Whether zeros stay what they are at the border, too.</summary>
    private bool KeepsZeros(Node node) => node.OpType switch
    {
        "Pad" => node.String("mode", "constant") == "constant" && node.Float("value") == 0
            && (node.Input(2) is null || context.Constant(node.Input(2)) is { } fill && Numbers.Doubles(fill).All(static v => v == 0)),
        // What lies outside has a value of its own there.
        "Resize" => node.String("coordinate_transformation_mode", "") != "tf_crop_and_resize",
        _ => true,
    };

    /// <summary>What filters of zeros give, and others of channels that are constant.</summary>
    private double[]? ByWeights(ChannelGroup group, Node node, ChannelAxis output)
    {
        if (node.Input(1)?.Constant is not { Rank: >= 2 } weights || node.Input(2) is not null and not { Constant: not null })
            return null;
        var axis = node.Is("Conv") || node.Is("Gemm") && node.Int("transB") != 0 ? 0 : weights.Rank - 1;
        var channels = (int)weights.Shape[axis];
        if (output.Axis != (node.Is("Conv") ? 1 : context.Type(output.Value!)!.Rank - 1) || output.Channels.Count != channels
            || node.Is("MatMul") && weights.Rank != 2)
            return null;
        var bias = node.Input(2)?.Constant is not { } given ? new double[channels]
            : node.Is("Gemm") ? node.Float("beta", 1) == 1 ? ChannelParameter.Of(given, 2, 1, channels) : null : Numbers.Doubles(given);
        if (bias is null)
            return null;
        var zero = ChannelRead.ZeroSlices(weights, axis);
        var made = new double[channels];
        for (var c = 0; c < channels; c++)
            made[c] = zero[c] ? bias[c] : double.NaN;
        // A filter over a channel of zeros gives its bias; other constants end at the border.
        if (node.Is("Conv") && node.Int("group", 1) is > 1 and var groups && weights.Shape[1] == 1
            && group.Members.FirstOrDefault(m => m.Value == node.Inputs[0] && m.Axis == 1) is { } input)
            for (var c = 0; c < channels; c++)
                if (Of(input)[(int)(c / (channels / groups))] == 0)
                    made[c] = bias[c];
        return made;
    }

    /// <summary>The values of the channels that a node reads, index by index.</summary>
    private double[]? Same(ChannelGroup group, Node node, ChannelAxis output) =>
        group.Members.FirstOrDefault(m => m.Value == node.Inputs[0] && m.Axis == output.Axis && m.Channels.SequenceEqual(output.Channels)) is { } input
            ? Of(input) : null;

    /// <summary>What a node makes of one number for each channel.</summary>
    private double[]? Computed(ChannelGroup group, Node node, ChannelAxis output)
    {
        if (context.Type(output.Value!) is not { HasRank: true } type)
            return null;
        var (known, isKnown) = (new Dictionary<Value, Tensor>(), Enumerable.Repeat(true, output.Channels.Count).ToArray());
        foreach (var input in node.Inputs.OfType<Value>().Where(static i => i.Constant is null).Distinct())
        {
            // Counted from the back, as what is broadcast is.
            if (context.Type(input) is not { HasRank: true } own || output.Axis - type.Rank + own.Rank is not (>= 0 and var axis)
                || group.Members.FirstOrDefault(m => m.Value == input && m.Axis == axis && m.Channels.Count == isKnown.Length) is not { } member)
                return null;
            var values = Of(member);
            for (var i = 0; i < values.Length; i++)
                isKnown[i] &= double.IsFinite(values[i]);
            long[] shape = [.. Enumerable.Repeat(1L, own.Rank)];
            shape[axis] = values.Length;
            known.Add(input, Numbers.Of(own.ElementType, [.. shape], [.. values.Select(static v => double.IsFinite(v) ? v : 0)]));
        }
        return known.Count > 0 && new ConstantEvaluation(known).Of(output.Value!) is { } result && result.Length == isKnown.Length
            && result.Shape[output.Axis] == isKnown.Length ? [.. Numbers.Doubles(result).Select((v, i) => isKnown[i] ? v : double.NaN)] : null;
    }

    /// <summary>The values of the indices that each index comes from.</summary>
    private double[]? Moved(ChannelGroup group, Node node, ChannelAxis output)
    {
        var made = Unknown(output.Channels.Count);
        var at = NodeAxis.OfOutput(node.Outputs.ToList().IndexOf(output.Value!), output.Axis);
        foreach (var links in AxisMap.Of(node, context.Inference, context.Model.Opset).Links.Where(l => l.To.At == at).GroupBy(static l => l.From.At))
        {
            if (group.Members.FirstOrDefault(m => m.Value is not null && m.Value == node.Inputs[links.Key.Index] && m.Axis == links.Key.Axis) is not { } input)
                continue;
            AxisLink[] own = [.. links];
            if (!own.All(static l => l.IsNumeric))
                return null;
            var values = Of(input);
            var byPlace = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var i = 0; i < values.Length; i++)
                byPlace[Place(own, static l => l.From, i)] = i;
            for (var j = 0; j < made.Length; j++)
                if (byPlace.TryGetValue(Place(own, static l => l.To, j), out var from))
                    made[j] = values[from];
        }
        return made;

        static string Place(AxisLink[] links, Func<AxisLink, AxisEnd> end, int index) =>
            string.Join(',', links.Select(l => l.Coordinate(end(l), index)?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-"));
    }

    private static double[] Unknown(int count)
    {
        var unknown = new double[count];
        Array.Fill(unknown, double.NaN);
        return unknown;
    }
}
