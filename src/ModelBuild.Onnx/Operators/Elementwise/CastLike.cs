namespace ModelBuild.Onnx.Operators;

/// <summary>Elements converted to the element type of the second input.</summary>
internal sealed class CastLike : Operator
{
    public override string Name => "CastLike";

    public override int FirstVersion => 15;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(1), context.Shape(0));

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context) =>
        context.Set(0, Conversion.To(context.Input(1).ElementType, context.Input(0), context.Node.Int("saturate", 1) != 0,
            context.Node.String("round_mode", "up")));
}
