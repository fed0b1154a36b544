namespace ModelBuild.Onnx.Operators;

/// <summary>(x - mean) / (standard deviation + 1e-9) over some axes.</summary>
internal sealed class MeanVarianceNormalization : Operator
{
    public override string Name => "MeanVarianceNormalization";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is > 0 and var rank)
            context.Same(0, 0, [.. (context.Node.Ints("axes") ?? [0, 2, 3]).Select(a => Indexing.Axis(a, rank))]);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var axes = (context.Node.Ints("axes") ?? [0, 2, 3]).Select(a => Indexing.Axis(a, x.Rank)).ToHashSet();
        int[] order = [.. Enumerable.Range(0, x.Rank).Where(i => !axes.Contains(i)), .. axes.Order()];
        var t = Transpose.Apply(x, order);
        var values = Numbers.Doubles(t);
        var length = (int)Tensor.Count([.. axes.Select(a => x.Shape[a])]);
        for (var start = 0; start < values.Length; start += length)
        {
            var run = values.AsSpan(start, length);
            double mean = 0, square = 0;
            foreach (var v in run)
                mean += v;
            mean /= length;
            foreach (var v in run)
                square += (v - mean) * (v - mean);
            var deviation = Math.Sqrt(square / length) + 1e-9;
            foreach (ref var v in run)
                v = (v - mean) / deviation;
        }
        var back = new int[order.Length];
        for (var i = 0; i < order.Length; i++)
            back[order[i]] = i;
        context.Set(0, Transpose.Apply(Numbers.Of(x.ElementType, t.Shape, values), back));
    }
}
