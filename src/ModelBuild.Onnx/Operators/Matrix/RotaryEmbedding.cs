namespace ModelBuild.Onnx.Operators;

/// <summary>Rotary position embedding: pairs of features turned by angles that are given as cosines and sines.</summary>
internal sealed class RotaryEmbedding : Operator
{
    public override string Name => "RotaryEmbedding";

    public override int FirstVersion => 23;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

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
