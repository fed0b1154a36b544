namespace ModelBuild.Onnx.Operators;

/// <summary>A sequence of nothing.</summary>
internal sealed class SequenceEmpty : Operator
{
    public override string Name => "SequenceEmpty";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.SetNonTensor(0, SequenceTypes.Of(new(Type(context.Node), default)));

    public override void Execute(ExecutionContext context) => context.Set(0, new TensorSequence(Type(context.Node), []));

    private static ElementType Type(Node node) => (ElementType)node.Int("dtype", (long)ElementType.Float);
}
