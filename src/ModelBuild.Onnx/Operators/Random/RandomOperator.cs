using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Random numbers of the shape and type that attributes state.</summary>
internal abstract class RandomOperator : InferredOperator
{
    public override void Infer(InferenceContext context) => context.Set(0, (ElementType)context.Node.Int("dtype", (int)ElementType.Float),
        context.Node.Ints("shape") is { } shape ? Shapes.Of(shape) : default(ImmutableArray<Dimension>));

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);
}
