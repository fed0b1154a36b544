namespace ModelBuild.Onnx.Operators;

/// <summary>A sequence of the inputs.</summary>
internal sealed class SequenceConstruct : Operator
{
    public override string Name => "SequenceConstruct";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.SetNonTensor(0, SequenceTypes.Of(context.Input(0)));

    public override void Execute(ExecutionContext context)
    {
        var items = Enumerable.Range(0, context.InputCount).Select(context.Input).ToArray();
        context.Require(items.All(t => t.ElementType == items[0].ElementType), "the inputs have different element types");
        context.Set(0, new TensorSequence(items[0].ElementType, [.. items]));
    }
}
