namespace ModelBuild.Onnx.Operators;

/// <summary>The number of elements of a tensor.</summary>
internal sealed class Size : Operator
{
    public override string Name => "Size";

    public override void Infer(InferenceContext context)
    {
        context.Set(0, ElementType.Int64, []);
        if (context.Shape(0) is { IsDefault: false } shape)
            context.SetElements(0, SymbolicTensor.Scalar(Shapes.Product(shape)));
    }

    // A single number.
    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context) => context.Set(0, Tensor.Scalar(context.Input(0).Length));
}
