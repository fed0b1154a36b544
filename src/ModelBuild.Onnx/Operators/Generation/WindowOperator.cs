namespace ModelBuild.Onnx.Operators;

/// <summary>A window function of a given length, periodic or symmetric.</summary>
internal abstract class WindowOperator : Operator
{
    /// <summary>The window at a phase from 0 to 2 pi.</summary>
    protected abstract double At(double phase);

    public override int FirstVersion => 17;

    public override void Infer(InferenceContext context) =>
        context.Set(0, (ElementType)context.Node.Int("output_datatype", 1), [context.Elements(0) is { } e ? e.Elements[0] : Dimension.Unknown]);

    public override InputRole Role(Node node, int input) => InputRole.Parameter;

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context)
    {
        var size = Indexing.Length([Numbers.Integers(context.Input(0))[0]]);
        var period = context.Node.Int("periodic", 1) != 0 ? size : size - 1;
        var values = new double[size];
        for (var i = 0; i < size; i++)
            values[i] = At(period == 0 ? 0 : 2 * Math.PI * i / period);
        context.Set(0, Numbers.Of((ElementType)context.Node.Int("output_datatype", 1), [size], values));
    }
}
