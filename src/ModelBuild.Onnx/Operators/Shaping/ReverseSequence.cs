namespace ModelBuild.Onnx.Operators;

/// <summary>The first elements of every sequence in reversed order, as many as its length says.</summary>
internal sealed class ReverseSequence : Operator
{
    public override string Name => "ReverseSequence";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is not (> 0 and var rank))
            return;
        context.Same(0, 0, Indexing.Axis(context.Node.Int("time_axis"), rank));
        context.Link(1, 0, 0, Indexing.Axis(context.Node.Int("batch_axis", 1), rank));
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var lengths = Numbers.Integers(context.Input(1));
        var (batch, time) = (Indexing.Axis(context.Node.Int("batch_axis", 1), x.Rank), Indexing.Axis(context.Node.Int("time_axis"), x.Rank));
        context.Require(lengths.Length == x.Shape[batch] && lengths.All(l => l >= 0 && l <= x.Shape[time]), "the sequence lengths do not fit");
        var strides = Indexing.Strides(x.Shape.AsSpan());
        var positions = new int[x.Length];
        for (var i = 0; i < positions.Length; i++)
        {
            var t = i / strides[time] % x.Shape[time];
            var length = lengths[i / strides[batch] % x.Shape[batch]];
            positions[i] = t < length ? (int)(i + (length - 1 - 2 * t) * strides[time]) : i;
        }
        context.Set(0, Elements.Select(x, x.Shape, positions));
    }
}
