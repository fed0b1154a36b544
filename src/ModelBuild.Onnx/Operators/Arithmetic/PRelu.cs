namespace ModelBuild.Onnx.Operators;

/// <summary>x, or slope x where x is negative; the slope is broadcast to x.</summary>
internal sealed class PRelu : BinaryOperator
{
    public override string Name => "PRelu";

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Weights : InputRole.Activation;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    protected override double Apply(double a, double b) => a < 0 ? a * b : a;

    protected override long Apply(long a, long b) => a < 0 ? unchecked(a * b) : a;

    protected override long ApplyUnsigned(long a, long b) => a;
}
