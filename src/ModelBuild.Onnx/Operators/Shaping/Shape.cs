using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>The dimensions of a tensor, or a range of them, as integers.</summary>
internal sealed class Shape : Operator
{
    public override string Name => "Shape";

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
        {
            context.Set(0, ElementType.Int64, Shapes.OfRank(1));
            return;
        }
        var (start, length) = Range(context.Node, shape.Length);
        context.Set(0, ElementType.Int64, [length]);
        context.SetElements(0, SymbolicTensor.Vector([.. shape.Skip(start).Take(length)]));
    }

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context)
    {
        var shape = context.Input(0).Shape;
        var (start, length) = Range(context.Node, shape.Length);
        context.Set(0, Tensor.Vector(shape.AsSpan(start, length).ToArray()));
    }

    private static (int Start, int Length) Range(Node node, int rank)
    {
        var start = Limit(node.Int("start"));
        var end = Limit(node.Int("end", rank));
        return (start, Math.Max(0, end - start));

        int Limit(long at) => (int)Math.Clamp(at < 0 ? at + rank : at, 0, rank);
    }
}
