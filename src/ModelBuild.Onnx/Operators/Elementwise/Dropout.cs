namespace ModelBuild.Onnx.Operators;

/// <summary>The input itself: outside training nothing is dropped. The optional mask says what is kept (all), before operator set 12 what is dropped
/// (nothing).</summary>
internal sealed class Dropout : Operator
{
    public override string Name => "Dropout";

    public override void Infer(InferenceContext context)
    {
        context.Set(0, context.Input(0));
        context.Set(1, context.Opset < 10 ? context.ElementType(0) : ElementType.Bool, context.Shape(0));
    }

    public override InputRole Role(Node node, int input) => input > 0 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        context.Same();
        context.Same(0, 1);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var ratio = context.Optional(1) is { } r ? Numbers.Doubles(r)[0] : 0.5;
        if (context.Optional(2) is { } training && Numbers.Integers(training)[0] != 0 && ratio != 0)
            throw context.Unsupported("training mode, which is random");
        context.Set(0, x);
        context.Set(1, Elements.Fill(context.Opset < 10 ? Numbers.Of(x.ElementType, [], [0L]) : Tensor.Scalar(context.Opset >= 12), x.Shape));
    }
}
