namespace ModelBuild.Onnx.Operators;

/// <summary>The number of tensors of a sequence.</summary>
internal sealed class SequenceLength : Operator
{
    public override string Name => "SequenceLength";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Int64, []);

    // A single value.
    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context) => context.Set(0, Tensor.Scalar((long)SequenceArgument.Of(context, 0).Items.Length));
}
