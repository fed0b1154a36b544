using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>The same bits as elements of another type of the same width.</summary>
internal sealed class BitCast : Operator
{
    public override string Name => "BitCast";

    public override int FirstVersion => 26;

    public override void Infer(InferenceContext context) => context.Set(0, (ElementType)context.Node.Int("to"), context.Shape(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var to = (ElementType)context.Node.Int("to");
        context.Require(ElementTypes.BitsOf(to) != 0 && ElementTypes.BitsOf(to) == ElementTypes.BitsOf(x.ElementType),
            $"{x.ElementType} and {to} have different widths");
        context.Set(0, new Tensor(to, x.Shape, x.Bytes));
    }
}
