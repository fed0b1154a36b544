namespace ModelBuild.Onnx.Operators;

/// <summary>The tensors of a sequence as one, along an axis or along a new one.</summary>
internal sealed class ConcatFromSequence : Operator
{
    public override string Name => "ConcatFromSequence";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.Set(0, SequenceTypes.ElementOf(context.NonTensor(0)));

    public override void Execute(ExecutionContext context)
    {
        var items = SequenceArgument.Of(context, 0).Items.Select(static t => t!).ToArray();
        context.Require(items.Length > 0, "the sequence is empty");
        var axis = context.Node.Int("axis");
        if (context.Node.Int("new_axis") == 0)
        {
            context.Set(0, Concat.Apply(items, Indexing.Axis(axis, items[0].Rank)));
            return;
        }
        var at = Indexing.Axis(axis, items[0].Rank + 1);
        context.Set(0, Concat.Apply([.. items.Select(t => t.Reshape(t.Shape.Insert(at, 1L).AsSpan()))], at));
    }
}
