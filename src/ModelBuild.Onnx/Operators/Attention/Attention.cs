using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>
/// Scaled dot-product attention with several heads: softmax(Q K^T scale + mask) V. Inputs are [batch, heads, sequence, size], or [batch, sequence, heads * size]
/// with the numbers of heads as attributes; groups of query heads may share a key head. Past keys and values come first.
/// </summary>
internal sealed class Attention : Operator
{
    public override string Name => "Attention";

    public override int FirstVersion => 23;

    public override void Infer(InferenceContext context)
    {
        var (q, k, v) = (context.Shape(0), context.Shape(1), context.Shape(2));
        var type = context.ElementType(0);
        if (q.IsDefault || k.IsDefault || v.IsDefault)
        {
            context.Set(0, type);
            return;
        }
        var node = context.Node;
        var (queryHeads, heads) = q.Length == 3 ? (Dimension.Of(node.Int("q_num_heads", 1)), Dimension.Of(node.Int("kv_num_heads", 1))) : (q[1], k[1]);
        var valueSize = v.Length == 3 ? v[2] / heads : v[3];
        var sequence = q.Length == 3 ? q[1] : q[2];
        context.Set(0, type, q.Length == 3 ? [q[0], q[1], queryHeads * valueSize] : [q[0], q[1], q[2], valueSize]);
        var own = k.Length == 3 ? k[1] : k[2];
        var total = context.Has(4) ? context.Shape(4) is { IsDefault: false, Length: 4 } past ? past[2] + own : Dimension.Unknown : own;
        context.Set(1, context.ElementType(1), [q[0], heads, total, k.Length == 3 ? k[2] / heads : k[3]]);
        context.Set(2, context.ElementType(2), [q[0], heads, total, valueSize]);
        context.Set(3, type, [q[0], queryHeads, sequence, total]);
    }

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var input = context.Input(0);
        var flat = input.Rank == 3;
        var q = Heads(context, 0, "q_num_heads");
        var (k, v) = (Heads(context, 1, "kv_num_heads"), Heads(context, 2, "kv_num_heads"));
        var past = context.Optional(4);
        if (past is not null)
        {
            k = Concat.Apply([past, k], 2);
            v = Concat.Apply([context.Input(5), v], 2);
        }
        var (batch, queryHeads, rows, size) = ((int)q.Shape[0], (int)q.Shape[1], (int)q.Shape[2], (int)q.Shape[3]);
        var (heads, columns, valueSize) = ((int)k.Shape[1], (int)k.Shape[2], (int)v.Shape[3]);
        context.Require(queryHeads % heads == 0 && k.Shape[3] == size && v.Shape[2] == columns, $"query {q}, key {k} and value {v} do not fit each other");
        var bias = Bias(context, batch, queryHeads, rows, columns, past is null ? 0 : (int)past.Shape[2]);
        double scale = node.Attributes.ContainsKey("scale") ? node.Float("scale") : 1 / Math.Sqrt(size), softcap = node.Float("softcap");
        var mode = node.Int("qk_matmul_output_mode");
        var (queries, keys, values) = (Numbers.Doubles(q), Numbers.Doubles(k), Numbers.Doubles(v));
        var result = new double[batch * queryHeads * rows * valueSize];
        var scores = new double[batch * queryHeads * rows * columns];
        var line = new double[columns];
        for (var h = 0; h < batch * queryHeads; h++)
        {
            var shared = h / queryHeads * heads + h % queryHeads / (queryHeads / heads);
            for (var i = 0; i < rows; i++)
            {
                var query = queries.AsSpan((h * rows + i) * size, size);
                var shown = scores.AsSpan((h * rows + i) * columns, columns);
                for (var j = 0; j < columns; j++)
                {
                    double dot = 0;
                    var key = keys.AsSpan((shared * columns + j) * size, size);
                    for (var d = 0; d < size; d++)
                        dot += query[d] * key[d];
                    var score = dot * scale;
                    shown[j] = score;
                    if (softcap > 0)
                        score = softcap * Math.Tanh(score / softcap);
                    if (mode == 1)
                        shown[j] = score;
                    score += bias[(h * rows + i) * columns + j];
                    if (mode == 2)
                        shown[j] = score;
                    line[j] = score;
                }
                Softmax.Apply(line);
                // A row in which everything is masked attends to nothing.
                if (columns > 0 && double.IsNaN(line[0]))
                    Array.Clear(line);
                if (mode == 3)
                    line.CopyTo(shown);
                var target = result.AsSpan((h * rows + i) * valueSize, valueSize);
                for (var j = 0; j < columns; j++)
                    LinearAlgebra.AddScaled(line[j], values.AsSpan((shared * columns + j) * valueSize, valueSize), target);
            }
        }
        var output = Numbers.Of(input.ElementType, [batch, queryHeads, rows, valueSize], result);
        context.Set(0, flat ? Transpose.Apply(output, [0, 2, 1, 3]).Reshape(batch, rows, queryHeads * valueSize) : output);
        context.Set(1, k);
        context.Set(2, v);
        context.Set(3, Numbers.Of(input.ElementType, [batch, queryHeads, rows, columns], scores));
    }

    private static Tensor Heads(ExecutionContext context, int index, string attribute)
    {
        var x = context.Input(index);
        if (x.Rank == 4)
            return x;
        var heads = context.Node.Int(attribute);
        context.Require(x.Rank == 3 && heads > 0 && x.Shape[2] % heads == 0, $"{x} cannot be split into {heads} heads");
        return Transpose.Apply(x.Reshape(x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads), [0, 2, 1, 3]);
    }

    /// <summary>What is added to the scores: the mask, and minus infinity where causality or the sequence lengths forbid a key.</summary>
    private static double[] Bias(ExecutionContext context, int batch, int heads, int rows, int columns, int past)
    {
        ImmutableArray<long> shape = [batch, heads, rows, columns];
        var bias = new double[Indexing.Length(shape)];
        if (context.Optional(3) is { } mask)
        {
            // A mask may end before the keys do; those behind it are masked.
            if (mask.Shape[^1] < columns && mask.Shape[^1] != 1)
                mask = Pad.Apply(mask, mask.Shape.SetItem(mask.Rank - 1, columns), new long[mask.Rank], "constant",
                    mask.ElementType == ElementType.Bool ? Tensor.Scalar(false) : Numbers.Of(mask.ElementType, [], [double.NegativeInfinity]));
            var values = mask.ElementType == ElementType.Bool
                ? Array.ConvertAll(Numbers.Integers(mask), static m => m != 0 ? 0 : double.NegativeInfinity) : Numbers.Doubles(mask);
            bias = (double[])Elementwise.Spread(values, mask.Shape, shape).Clone();
        }
        var lengths = context.Optional(6) is { } l ? Numbers.Integers(l) : null;
        var causal = context.Node.Int("is_causal") != 0;
        // How far back and ahead a query may look; negative for any distance.
        var (left, right) = (context.Node.Int("left_window_size", -1), context.Node.Int("right_window_size", -1));
        for (var i = 0; i < bias.Length; i++)
        {
            var (sample, row, column) = (i / columns / rows / heads, i / columns % rows, i % columns);
            var offset = lengths is null ? past : lengths[sample] - rows;
            var distance = row + offset - column;
            if (lengths is not null && column >= lengths[sample] || causal && distance < 0 || left >= 0 && distance > left || right >= 0 && -distance > right)
                bias[i] = double.NegativeInfinity;
        }
        return bias;
    }
}
