namespace ModelBuild.Onnx.Operators;

/// <summary>A sequence without one of its tensors, by position or the last.</summary>
internal sealed class SequenceErase : Operator
{
    public override string Name => "SequenceErase";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.SetNonTensor(0, context.NonTensor(0));

    public override void Execute(ExecutionContext context)
    {
        var sequence = SequenceArgument.Of(context, 0);
        context.Require(!sequence.Items.IsEmpty, "the sequence is empty");
        var at = context.Optional(1) is null ? sequence.Items.Length - 1 : SequenceArgument.Position(context, 1, sequence.Items.Length);
        context.Set(0, sequence with { Items = sequence.Items.RemoveAt(at) });
    }
}
