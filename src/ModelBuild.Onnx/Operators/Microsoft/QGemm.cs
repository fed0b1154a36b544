namespace ModelBuild.Onnx.Operators;

/// <summary>alpha A B + C of quantized matrices; C is int32 in units of scale A times scale B; quantized again where an output scale is given, else
/// float.</summary>
internal sealed class QGemm : Operator
{
    public override string Domain => Domains.Microsoft;

    public override string Name => "QGemm";

    public override void Infer(InferenceContext context)
    {
        var (a, b) = (context.Shape(0), context.Shape(3));
        context.Set(0, context.Has(7) ? context.ElementType(8) : ElementType.Float,
            [a.IsDefault ? Dimension.Unknown : a[Flip(context.Node, "transA") ? 1 : 0], b.IsDefault ? Dimension.Unknown
                : b[Flip(context.Node, "transB") ? 0 : 1]]);
    }

    public override InputRole Role(Node node, int input) => input switch
    {
        1 or 4 or 7 => InputRole.Scale,
        2 or 5 or 8 => InputRole.ZeroPoint,
        3 => InputRole.Weights,
        6 => InputRole.Bias,
        _ => InputRole.Activation,
    };

    public override WeightChannels Channels(Node node, int input) => input == 3 ? new(Flip(node, "transB") ? 0 : 1, 1) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        Gemm.Axes(context, 0, 3);
        MatrixShape.PerSlice(context, 1, 4, 5);
        context.Broadcast(6);
    }

    public override string? Cut(CutContext context) => null;

    public override Work Work(WorkContext context) => MatrixShape.Work(context, 0, Flip(context.Node, "transA") ? 0 : -1);

    public override void Execute(ExecutionContext context)
    {
        var a = Flip(context.Node, "transA") ? Transpose.Apply(context.Input(0), [1, 0]) : context.Input(0);
        var b = Flip(context.Node, "transB") ? Transpose.Apply(context.Input(3), [1, 0]) : context.Input(3);
        var (values, shape) = MatrixShape.Multiply(IntegerOperands.Shifted(a, context.Input(2), 0), a.Shape, IntegerOperands.Shifted(b, context.Input(5), 1),
            b.Shape);
        var (scaleA, scaleB) = (Numbers.Doubles(context.Input(1))[0], Numbers.Doubles(context.Input(4)));
        var alpha = context.Node.Float("alpha", 1);
        var c = context.Optional(6) is { } t ? Elementwise.Spread(Numbers.Doubles(t), t.Shape, shape) : null;
        var output = context.Optional(7);
        var type = output is null ? ElementType.Float : context.Input(8).ElementType;
        for (var i = 0; i < values.Length; i++)
        {
            var sum = values[i] + (c is null ? 0 : c[i]);
            var scale = alpha * scaleA * scaleB[scaleB.Length == 1 ? 0 : i % (int)shape[1]];
            values[i] = output is null ? sum * scale : Requantization.Apply(sum, scale, 1, Numbers.Doubles(output)[0], Numbers.Doubles(context.Input(8))[0],
                type);
        }
        context.Set(0, Numbers.Of(type, shape, values));
    }

    private static bool Flip(Node node, string attribute) => node.Int(attribute) != 0;
}
