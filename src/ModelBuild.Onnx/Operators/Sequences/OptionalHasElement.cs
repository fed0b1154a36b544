namespace ModelBuild.Onnx.Operators;

/// <summary>Whether an optional holds something; without an input, it does not.</summary>
internal sealed class OptionalHasElement : Operator
{
    public override string Name => "OptionalHasElement";

    public override int FirstVersion => 15;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Bool, []);

    // A single value.
    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context) => context.Set(0, Tensor.Scalar(context.Value(0) is not null));
}
