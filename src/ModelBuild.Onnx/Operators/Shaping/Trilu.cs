namespace ModelBuild.Onnx.Operators;

/// <summary>The upper or lower triangle of matrices; the rest is 0.</summary>
internal sealed class Trilu : Operator
{
    public override string Name => "Trilu";

    public override int FirstVersion => 14;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) =>
        context.CutsInput(0, context.Rank(0) - 1) || context.CutsInput(0, context.Rank(0) - 2) ? "the diagonal would lie elsewhere" : null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var k = context.Optional(1) is { } t ? Numbers.Integers(t)[0] : 0;
        var upper = context.Node.Int("upper", 1) != 0;
        var positions = new int[x.Length];
        var (rows, columns) = (x.Shape[^2], x.Shape[^1]);
        for (var i = 0; i < positions.Length; i++)
        {
            var (row, column) = (i / columns % rows, i % columns);
            positions[i] = upper ? column >= row + k ? i : -1 : column <= row + k ? i : -1;
        }
        context.Set(0, Elements.Select(x, x.Shape, positions));
    }
}
