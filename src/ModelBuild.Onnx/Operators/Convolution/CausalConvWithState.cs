namespace ModelBuild.Onnx.Operators;

/// <summary>
/// A convolution of each channel by itself that looks back only, [batch, channels, length]. What it still needs of the past is given as a state, [batch,
/// channels, kernel - 1], and handed on.
/// </summary>
internal sealed class CausalConvWithState : Operator
{
    public override string Name => "CausalConvWithState";

    public override int FirstVersion => 27;

    public override void Infer(InferenceContext context)
    {
        var (x, w) = (context.Shape(0), context.Shape(1));
        context.Set(0, context.Input(0));
        context.Set(1, context.ElementType(0), x.IsDefault || w.IsDefault ? default : [x[0], x[1], w[2] - 1]);
    }

    public override InputRole Role(Node node, int input) => input switch
    {
        1 => InputRole.Weights,
        2 => InputRole.Bias,
        3 => InputRole.State,
        _ => InputRole.Activation,
    };

    public override WeightChannels Channels(Node node, int input) => input == 1 ? new(0, 1) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        foreach (var input in (int[])[0, 3])
            for (var output = 0; output < 2; output++)
            {
                context.Link(input, 0, output, 0);
                context.Link(input, 1, output, 1);
            }
        context.Link(1, 0, 0, 1);
        context.Link(2, 0, 0, 1);
        context.Set(0, 2, AxisKind.Mixed);
        context.Set(1, 2, AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override Work Work(WorkContext context) => ConvolutionAxes.Work(context, 1);

    public override void Execute(ExecutionContext context)
    {
        var (x, w) = (context.Input(0), context.Input(1));
        context.Require(x.Rank == 3 && w.Rank == 3 && w.Shape[0] == x.Shape[1] && w.Shape[1] == 1 && w.Shape[2] > 0, $"the weights {w} do not fit {x}");
        var (batch, channels, length, kernel) = ((int)x.Shape[0], (int)x.Shape[1], (int)x.Shape[2], (int)w.Shape[2]);
        var past = context.Optional(3);
        context.Require(past is null || past.Shape.SequenceEqual([batch, channels, kernel - 1]), $"the state {past} does not fit {x} and {w}");
        var activation = context.Node.String("activation", "none");
        context.Require(activation is "none" or "silu" or "swish", $"there is no activation '{activation}'");
        var (values, weights) = (Numbers.Doubles(x), Numbers.Doubles(w));
        var bias = context.Optional(2) is { } b ? Numbers.Doubles(b) : new double[channels];
        var states = past is null ? null : Numbers.Doubles(past);
        var result = new double[values.Length];
        var present = new double[Indexing.Length([batch, channels, kernel - 1])];
        WorkBudget.Charge((double)values.Length * kernel);
        var line = new double[kernel - 1 + length];
        for (var row = 0; row < batch * channels; row++)
        {
            var channel = row % channels;
            if (states is not null)
                states.AsSpan(row * (kernel - 1), kernel - 1).CopyTo(line);
            values.AsSpan(row * length, length).CopyTo(line.AsSpan(kernel - 1));
            for (var t = 0; t < length; t++)
            {
                var sum = bias[channel];
                for (var k = 0; k < kernel; k++)
                    sum += weights[channel * kernel + k] * line[t + k];
                result[row * length + t] = activation == "none" ? sum : sum / (1 + Math.Exp(-sum));
            }
            line.AsSpan(length).CopyTo(present.AsSpan(row * (kernel - 1)));
        }
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, result));
        context.Set(1, Numbers.Of(x.ElementType, [batch, channels, kernel - 1], present));
    }
}
