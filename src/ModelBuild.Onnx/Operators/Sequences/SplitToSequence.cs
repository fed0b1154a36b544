namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor cut along an axis into a sequence: into single slices, pieces of one length, or given lengths.</summary>
internal sealed class SplitToSequence : Operator
{
    public override string Name => "SplitToSequence";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.SetNonTensor(0, SequenceTypes.Of(context.Input(0)));

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var axis = Indexing.Axis(context.Node.Int("axis"), x.Rank);
        var keep = context.Optional(1) is not null || context.Node.Int("keepdims", 1) != 0;
        var lengths = new List<long>();
        if (context.Optional(1) is { Rank: 1 } given)
            lengths.AddRange(Numbers.Integers(given));
        else
        {
            var size = context.Optional(1) is { } one ? Numbers.Integers(one)[0] : 1;
            context.Require(size > 0, "the length must be positive");
            for (var at = 0L; at < x.Shape[axis]; at += size)
                lengths.Add(Math.Min(size, x.Shape[axis] - at));
        }
        context.Require(lengths.Sum() == x.Shape[axis] && lengths.All(l => l >= 0), "the lengths do not fit the axis");
        var start = 0L;
        var items = new List<Tensor>();
        foreach (var length in lengths)
        {
            var part = Split.Apply(x, axis, start, length);
            items.Add(keep ? part : part.Reshape(part.Shape.RemoveAt(axis).AsSpan()));
            start += length;
        }
        context.Set(0, new TensorSequence(x.ElementType, [.. items]));
    }
}
