namespace ModelBuild.Onnx.Operators;

/// <summary>A matrix of the input's shape with ones on a diagonal.</summary>
internal sealed class EyeLike : Operator
{
    public override string Name => "EyeLike";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context) => context.Set(0, Type(context.Node, context.ElementType(0)), context.Shape(0));

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        context.Require(x.Rank == 2, "the input must be a matrix");
        var k = context.Node.Int("k");
        var values = new long[x.Length];
        for (var row = 0L; row < x.Shape[0]; row++)
            if (row + k >= 0 && row + k < x.Shape[1])
                values[row * x.Shape[1] + row + k] = 1;
        context.Set(0, Numbers.Of(Type(context.Node, x.ElementType), x.Shape, values));
    }

    private static ElementType Type(Node node, ElementType input) => node.Int("dtype") is not 0 and var t ? (ElementType)t : input;
}
