namespace ModelBuild.Onnx.Operators;

/// <summary>What an optional holds.</summary>
internal sealed class OptionalGetElement : Operator
{
    public override string Name => "OptionalGetElement";

    public override int FirstVersion => 15;

    public override void Infer(InferenceContext context)
    {
        var held = context.NonTensor(0) is { OptionalType: { } optional } ? optional.ElemType : context.NonTensor(0);
        if (held is null)
            context.Set(0, context.Input(0));
        else if (TypeConversion.TensorTypeOf(held) is { } type)
            // In a message a name is text: it may stand for another size, or be the text of an expression.
            context.Set(0, type.ElementType, type.HasRank ? [.. type.Shape.Select(static d => d.IsConstant ? d : Dimension.Unknown)] : default);
        else
            context.SetNonTensor(0, held);
    }

    public override void Axes(AxesContext context)
    {
        for (var i = 0; i < context.OutputRank(0); i++)
            context.Link(0, i, 0, i);
    }

    public override void Execute(ExecutionContext context) => context.Set(0, context.Value(0) ?? throw context.Error("the optional is empty"));
}
