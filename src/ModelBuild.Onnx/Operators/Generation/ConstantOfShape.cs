using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor of a given shape, filled with one value.</summary>
internal sealed class ConstantOfShape : Operator
{
    public override string Name => "ConstantOfShape";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context)
    {
        var value = Value(context.Node);
        context.Set(0, value.ElementType, context.Vector(0) ?? default(ImmutableArray<Dimension>));
    }

    public override InputRole Role(Node node, int input) => InputRole.Parameter;

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context) => context.Set(0, Elements.Fill(Value(context.Node), [.. Numbers.Integers(context.Input(0))]));

    private static Tensor Value(Node node) => node.Attributes.TryGetValue("value", out var a) && a.Value is Tensor t ? t : Tensor.Scalar(0f);
}
