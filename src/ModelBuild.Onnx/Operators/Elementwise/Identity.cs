namespace ModelBuild.Onnx.Operators;

/// <summary>The input itself, of any kind.</summary>
internal sealed class Identity : Operator
{
    public override string Name => "Identity";

    public override void Infer(InferenceContext context) => PassThrough.Infer(context);

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context) => context.Set(0, context.Value(0));
}
