namespace ModelBuild.Onnx.Operators;

/// <summary>One tensor of a sequence.</summary>
internal sealed class SequenceAt : Operator
{
    public override string Name => "SequenceAt";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.Set(0, SequenceTypes.ElementOf(context.NonTensor(0)));

    public override void Execute(ExecutionContext context)
    {
        var sequence = SequenceArgument.Of(context, 0);
        context.Set(0, sequence.Items[SequenceArgument.Position(context, 1, sequence.Items.Length)]);
    }
}
