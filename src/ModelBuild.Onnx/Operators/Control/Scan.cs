using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A subgraph run once per slice of its scanned inputs; it carries states on and collects others along an axis. From operator set 9 on.</summary>
internal sealed class Scan : Operator
{
    public override string Name => "Scan";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context)
    {
        var body = context.Node.Attributes.GetValueOrDefault("body")?.Value as Graph ?? throw context.Error("attribute 'body' is missing");
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

    public override void Execute(ExecutionContext context)
    {
        var body = context.Subgraph("body");
        var scanned = (int)context.Node.Int("num_scan_inputs");
        var states = context.InputCount - scanned;
        context.Require(states >= 0 && scanned > 0 && body.Inputs.Count == context.InputCount, "the body does not fit the inputs");
        var state = Enumerable.Range(0, states).Select(context.Value).ToArray();
        var inputs = Enumerable.Range(states, scanned).Select(context.Input).ToArray();
        var axes = inputs.Select((t, i) => Indexing.Axis(Entry(context.Node, "scan_input_axes", i), t.Rank)).ToArray();
        var length = inputs[0].Shape[axes[0]];
        context.Require(inputs.Zip(axes).All(p => p.First.Shape[p.Second] == length), "the scanned inputs have different lengths");
        var collected = Enumerable.Range(0, body.Outputs.Count - states).Select(static _ => new List<Tensor>()).ToArray();
        for (long n = 0; n < length; n++)
        {
            var slices = inputs.Select((t, i) =>
            {
                var at = Entry(context.Node, "scan_input_directions", i) != 0 ? length - 1 - n : n;
                return (object?)Split.Apply(t, axes[i], at, 1).Reshape(t.Shape.RemoveAt(axes[i]).AsSpan());
            });
            var results = context.Run(body, [.. state, .. slices]);
            for (var i = 0; i < states; i++)
                state[i] = results[i];
            for (var i = 0; i < collected.Length; i++)
                collected[i].Add((Tensor)results[states + i]!);
        }
        for (var i = 0; i < states; i++)
            context.Set(i, state[i]);
        for (var i = 0; i < collected.Length; i++)
        {
            if (Entry(context.Node, "scan_output_directions", i) != 0)
                collected[i].Reverse();
            var stacked = Loop.Stack(collected[i], body.Outputs[states + i]);
            var axis = Indexing.Axis(Entry(context.Node, "scan_output_axes", i), stacked.Rank);
            var order = Enumerable.Range(1, stacked.Rank - 1).ToList();
            order.Insert(axis, 0);
            context.Set(states + i, Transpose.Apply(stacked, [.. order]));
        }
    }

    private static long Entry(Node node, string attribute, int index) => node.Ints(attribute) is { } values && index < values.Length ? values[index] : 0;
}
