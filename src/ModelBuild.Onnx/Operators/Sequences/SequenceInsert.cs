namespace ModelBuild.Onnx.Operators;

/// <summary>A sequence with one more tensor, at a position or at the end.</summary>
internal sealed class SequenceInsert : Operator
{
    public override string Name => "SequenceInsert";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.SetNonTensor(0, context.NonTensor(0) ?? SequenceTypes.Of(context.Input(1)));

    public override void Execute(ExecutionContext context)
    {
        var sequence = SequenceArgument.Of(context, 0);
        var added = context.Input(1);
        context.Require(sequence.Items.IsEmpty || sequence.ElementType == added.ElementType, $"{added} does not fit a sequence of {sequence.ElementType}");
        var at = context.Optional(2) is null ? sequence.Items.Length
            : Numbers.Integers(context.Input(2))[0] is var p && p == sequence.Items.Length ? sequence.Items.Length
                : SequenceArgument.Position(context, 2, sequence.Items.Length);
        context.Set(0, new TensorSequence(added.ElementType, sequence.Items.Insert(at, added)));
    }
}
