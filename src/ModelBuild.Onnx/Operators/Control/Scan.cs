using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>
/// A subgraph run once per slice of its scanned inputs; it carries states on and collects others along an axis. In operator set 8 every input has a batch axis
/// in front, over which all of that is repeated, and lengths of the sequences may come first.
/// </summary>
internal sealed class Scan : Operator
{
    public override string Name => "Scan";

    public override int FirstVersion => 8;

    public override void Infer(InferenceContext context)
    {
        var body = context.Node.Attributes.GetValueOrDefault("body")?.Value as Graph ?? throw context.Error("attribute 'body' is missing");
        if (context.Opset < 9)
        {
            for (var i = 0; i < Math.Min(context.OutputCount, body.Outputs.Count); i++)
                context.Set(i, body.Outputs[i].Type?.ElementType ?? ElementType.Undefined);
            return;
        }
        var scanned = (int)context.Node.Int("num_scan_inputs");
        var states = context.InputCount - scanned;
        context.Require(states >= 0 && body.Inputs.Count == context.InputCount && body.Outputs.Count >= states, "the body does not fit the inputs");
        var types = new TensorType?[context.InputCount];
        var length = Dimension.Unknown;
        for (var i = 0; i < types.Length; i++)
        {
            var input = context.Input(i);
            if (i >= states && input.HasRank)
            {
                var axis = Indexing.Axis(Entry(context.Node, "scan_input_axes", i - states), input.Rank);
                length = length.IsConstant ? length : input.Shape[axis];
                types[i] = input with { Shape = input.Shape.RemoveAt(axis) };
            }
            else
                types[i] = new(input.ElementType, i < states ? input.Shape : default);
        }
        context.InferSubgraph(body, types);
        for (var i = 0; i < context.OutputCount; i++)
            if (context.TypeOf(body.Outputs[i]) is { } type)
                context.Set(i, type.ElementType, !type.HasRank ? default : i < states ? Shapes.Common(type.Shape, context.Shape(i))
                    : type.Shape.Insert(Indexing.Axis(Entry(context.Node, "scan_output_axes", i - states), type.Rank + 1), length));
    }

    public override InputRole Role(Node node, int input) => input < node.Inputs.Count - node.Int("num_scan_inputs") ? InputRole.State : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var first = context.Opset < 9 ? 1 : 0;
        var states = context.InputCount - first - (int)context.Node.Int("num_scan_inputs");
        for (var o = 0; o < context.OutputCount; o++)
        {
            for (var i = first; first > 0 && i < context.InputCount; i++)
                context.Link(i, 0, o, 0);
            if (first > 0 || o < states || context.OutputRank(o) < 0)
                continue;
            var to = Indexing.Axis(Entry(context.Node, "scan_output_axes", o - states), context.OutputRank(o));
            context.Set(o, to, AxisKind.Mixed);
            for (var i = states; states == 0 && i < context.InputCount; i++)
                if (context.Rank(i) is > 0 and var rank)
                {
                    var from = Indexing.Axis(Entry(context.Node, "scan_input_axes", i - states), rank);
                    var turned = Entry(context.Node, "scan_input_directions", i - states) != Entry(context.Node, "scan_output_directions", o - states);
                    var length = context.Size(i, from);
                    context.Link(turned ? AxesContext.In(i, from) with { Offset = length - 1, IsDescending = true } : AxesContext.In(i, from),
                        AxesContext.Out(o, to), length);
                }
        }
    }

    public override void Execute(ExecutionContext context)
    {
        var first = context.Opset < 9 ? 1 : 0;
        var body = context.Subgraph("body");
        var scanned = (int)context.Node.Int("num_scan_inputs");
        var states = context.InputCount - first - scanned;
        context.Require(states >= 0 && scanned > 0 && body.Inputs.Count == states + scanned && body.Outputs.Count >= states,
            "the body does not fit the inputs");
        if (first == 0)
        {
            var results = Sequence(context, body, [.. Enumerable.Range(0, states).Select(context.Value)],
                [.. Enumerable.Range(states, scanned).Select(context.Input)], "scan_input_directions");
            for (var i = 0; i < results.Length; i++)
                context.Set(i, results[i]);
            return;
        }
        if (context.Optional(0) is not null)
            throw context.Unsupported("lengths of sequences");
        var inputs = Enumerable.Range(first, states + scanned).Select(context.Input).ToArray();
        var batch = inputs[0].Rank > 0 ? inputs[0].Shape[0] : 0;
        context.Require(batch > 0 && inputs.All(t => t.Rank > 0 && t.Shape[0] == batch), "the inputs have different batch sizes");
        var samples = new List<object?[]>();
        for (long b = 0; b < batch; b++)
        {
            var parts = inputs.Select(t => Split.Apply(t, 0, b, 1).Reshape(t.Shape.RemoveAt(0).AsSpan())).ToArray();
            samples.Add(Sequence(context, body, [.. parts.Take(states)], parts[states..], "directions"));
        }
        for (var i = 0; i < body.Outputs.Count; i++)
            context.Set(i, Loop.Stack([.. samples.Select(r => (Tensor)r[i]!)], body.Outputs[i]));
    }

    /// <summary>Scans one sequence: the last states, then what was collected.</summary>
    private static object?[] Sequence(ExecutionContext context, Graph body, object?[] state, Tensor[] inputs, string directions)
    {
        var axes = inputs.Select((t, i) => Indexing.Axis(Entry(context.Node, "scan_input_axes", i), t.Rank)).ToArray();
        var length = inputs[0].Shape[axes[0]];
        context.Require(inputs.Zip(axes).All(p => p.First.Shape[p.Second] == length), "the scanned inputs have different lengths");
        var collected = Enumerable.Range(0, body.Outputs.Count - state.Length).Select(static _ => new List<Tensor>()).ToArray();
        for (long n = 0; n < length; n++)
        {
            var slices = inputs.Select((t, i) =>
            {
                var at = Entry(context.Node, directions, i) != 0 ? length - 1 - n : n;
                return (object?)Split.Apply(t, axes[i], at, 1).Reshape(t.Shape.RemoveAt(axes[i]).AsSpan());
            });
            var results = context.Run(body, [.. state, .. slices]);
            for (var i = 0; i < state.Length; i++)
                state[i] = results[i];
            for (var i = 0; i < collected.Length; i++)
                collected[i].Add((Tensor)results[state.Length + i]!);
        }
        return [.. state, .. collected.Select((list, i) =>
        {
            if (Entry(context.Node, "scan_output_directions", i) != 0)
                list.Reverse();
            var stacked = Loop.Stack(list, body.Outputs[state.Length + i]);
            var axis = Indexing.Axis(Entry(context.Node, "scan_output_axes", i), stacked.Rank);
            var order = Enumerable.Range(1, stacked.Rank - 1).ToList();
            order.Insert(axis, 0);
            return (object?)Transpose.Apply(stacked, [.. order]);
        })];
    }

    private static long Entry(Node node, string attribute, int index) => node.Ints(attribute) is { } values && index < values.Length ? values[index] : 0;
}
