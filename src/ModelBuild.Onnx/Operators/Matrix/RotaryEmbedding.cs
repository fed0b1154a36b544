namespace ModelBuild.Onnx.Operators;

/// <summary>Rotary position embedding: pairs of features turned by angles that are given as cosines and sines.</summary>
internal sealed class RotaryEmbedding : Operator
{
    public override string Name => "RotaryEmbedding";

    public override int FirstVersion => 23;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input switch { 1 or 2 => InputRole.Weights, 3 => InputRole.Indices, _ => InputRole.Activation };

    public override void Axes(AxesContext context)
    {
        var rank = context.Rank(0);
        if (rank is not (3 or 4))
            return;
        var flat = rank == 3;
        var heads = flat ? Dimension.Of(context.Node.Int("num_heads")) : context.Size(0, 1);
        var size = flat ? context.Size(0, 2) / heads : context.Size(0, 3);
        var (row, last) = (flat ? 1 : 2, rank - 1);
        context.Link(0, 0, 0, 0);
        context.Link(0, row, 0, row);
        if (flat)
            context.Link(AxesContext.In(0, 2) with { Inner = size }, AxesContext.Out(0, 2) with { Inner = size }, heads);
        else
            context.Link(0, 1, 0, 1);
        var turned = context.Node.Int("rotary_embedding_dim") is > 0 and var d ? d : size;
        // Feature by feature only where every head is turned as a whole: links count through all heads alike.
        if (!flat || turned == size)
        {
            var half = turned / 2;
            var runs = flat ? heads : 1;
            AxisEnd Pairs(AxisEnd end) => context.Node.Int("interleaved") != 0 ? end with { Inner = 2, Outer = runs } : end with { Outer = runs * 2 };
            context.Link(Pairs(AxesContext.In(0, last)), Pairs(AxesContext.Out(0, last)), half);
            if (turned != size)
                context.Link(AxesContext.In(0, last) with { Offset = turned }, AxesContext.Out(0, last) with { Offset = turned }, size - turned);
            foreach (var table in (int[])[1, 2])
                if (context.Rank(table) is > 0 and var own)
                    context.Link(AxesContext.In(table, own - 1), Pairs(AxesContext.Out(0, last)), half);
        }
        foreach (var input in context.Has(3) ? (int[])[3] : [1, 2])
        {
            context.Link(input, 0, 0, 0);
            context.Link(input, 1, 0, row);
        }
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context)
    {
        var last = context.Rank(0) - 1;
        if (!context.CutsInput(0, last) && !context.CutsOutput(0, last))
            return null;
        if (last == 3 || !context.OfInput(0, last).SequenceEqual(context.OfOutput(0, last)))
            return "features are turned in pairs";
        var heads = context.Node.Int("num_heads");
        var size = context.Length(NodeAxis.OfInput(0, 2)) / heads;
        var kept = context.OfInput(0, 2).GroupBy(i => i / size).ToArray();
        if (kept.Any(h => h.Count() != size))
            return "features are turned in pairs";
        context.Set("num_heads", kept.Length);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var flat = x.Rank == 3;
        var heads = flat ? context.Node.Int("num_heads") : x.Shape[1];
        context.Require(heads > 0, "num_heads is missing");
        // [batch, sequence, heads, features]
        var t = flat ? x.Reshape(x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads) : Transpose.Apply(x, [0, 2, 1, 3]);
        var (batch, sequence, size) = ((int)t.Shape[0], (int)t.Shape[1], (int)t.Shape[3]);
        var turned = context.Node.Int("rotary_embedding_dim") is > 0 and var d ? (int)d : size;
        var half = turned / 2;
        var interleaved = context.Node.Int("interleaved") != 0;
        var (cosines, sines) = (Numbers.Doubles(context.Input(1)), Numbers.Doubles(context.Input(2)));
        var ids = context.Optional(3) is { } p ? Numbers.Integers(p) : null;
        var values = Numbers.Doubles(t);
        for (var b = 0; b < batch; b++)
            for (var s = 0; s < sequence; s++)
            {
                // The tables are per position, or per sample and position where no ids are given.
                var row = (int)(ids is null ? b * sequence + s : ids[b * sequence + s]) * half;
                for (var h = 0; h < heads; h++)
                {
                    var v = values.AsSpan((int)(((b * sequence + s) * heads + h) * size), size);
                    for (var i = 0; i < half; i++)
                    {
                        var (first, second) = interleaved ? (2 * i, 2 * i + 1) : (i, half + i);
                        var (re, im) = (v[first], v[second]);
                        v[first] = cosines[row + i] * re - sines[row + i] * im;
                        v[second] = sines[row + i] * re + cosines[row + i] * im;
                    }
                }
            }
        var result = Numbers.Of(x.ElementType, t.Shape, values);
        context.Set(0, flat ? result.Reshape(x.Shape.AsSpan()) : Transpose.Apply(result, [0, 2, 1, 3]));
    }
}
