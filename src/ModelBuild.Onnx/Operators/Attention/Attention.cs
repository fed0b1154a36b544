using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>
/// Scaled dot-product attention with several heads: softmax(Q K^T scale + mask) V. Inputs are [batch, heads, sequence, size], or [batch, sequence, heads *
/// size] with the numbers of heads as attributes; groups of query heads may share a key head. Past keys and values come first.
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

    public override InputRole Role(Node node, int input) => input switch { 4 or 5 => InputRole.State, 6 => InputRole.Parameter, _ => InputRole.Activation };

    public override void Axes(AxesContext context)
    {
        var shapes = Enumerable.Range(0, 3).Select(context.Shape).ToArray();
        if (shapes.Any(static s => s.IsDefault))
            return;
        var flat = shapes[0].Length == 3;
        var (queryHeads, heads) = flat ? (Dimension.Of(context.Node.Int("q_num_heads", 1)), Dimension.Of(context.Node.Int("kv_num_heads", 1)))
            : (shapes[0][1], shapes[1][1]);
        var (size, valueSize) = flat ? (shapes[0][2] / queryHeads, shapes[2][2] / heads) : (shapes[0][3], shapes[2][3]);
        var (shared, row) = (queryHeads / heads, flat ? 1 : 2);
        // The heads of an input, the features within each of its heads, and the same of the result.
        AxisEnd Heads(int input, Dimension features) => flat ? AxesContext.In(input, 2) with { Inner = features } : AxesContext.In(input, 1);
        AxisEnd Features(int input, Dimension count) => flat ? AxesContext.In(input, 2) with { Outer = count } : AxesContext.In(input, 3);
        AxisEnd ResultHeads(Dimension perHead) => flat ? AxesContext.Out(0, 2) with { Inner = perHead * valueSize }
            : AxesContext.Out(0, 1) with { Inner = perHead };
        var resultFeatures = flat ? AxesContext.Out(0, 2) with { Outer = queryHeads } : AxesContext.Out(0, 3);

        for (var i = 0; i < 3; i++)
            context.Link(i, 0, 0, 0);
        context.Link(Heads(0, size), ResultHeads(1), queryHeads);
        context.Link(0, row, 0, row);
        context.Link(Heads(1, size), ResultHeads(shared), heads);
        context.Link(Heads(2, valueSize), ResultHeads(shared), heads);
        context.Link(Features(2, heads), resultFeatures, valueSize);
        context.Tie(Features(0, queryHeads), Features(1, heads), size);
        context.Contract(1, row, 2, row);
        Mask(context, 0, flat, valueSize);
        var past = context.Has(4) ? context.Size(4, 2) : 0;
        for (var i = 0; i < 2; i++)
        {
            // What is handed on: the past, then the own keys or values.
            var (own, before, output) = (1 + i, 4 + i, 1 + i);
            var features = i == 0 ? size : valueSize;
            context.Link(before, 0, 0, 0);
            context.Link(AxesContext.In(before, 1), ResultHeads(shared), heads);
            context.Link(own, 0, output, 0);
            context.Link(Heads(own, features), AxesContext.Out(output, 1), heads);
            context.Link(AxesContext.In(own, row), AxesContext.Out(output, 2) with { Offset = past }, context.Size(own, row));
            context.Link(Features(own, heads), AxesContext.Out(output, 3), features);
            context.Same(before, output);
        }
        context.Link(AxesContext.In(5, 3), resultFeatures, valueSize);
        context.Tie(Features(0, queryHeads), AxesContext.In(4, 3), size);
        context.Contract(4, 2, 5, 2);
        context.Link(6, 0, 0, 0);
        Scores(context, Heads(0, size), Heads(1, size), queryHeads, heads, row, past);
        for (var output = 0; output < 4; output++)
            context.Rest(AxisKind.Mixed, output);
    }

    private static void Scores(AxesContext context, AxisEnd queryHeads, AxisEnd keyHeads, Dimension count, Dimension keyCount, int row, Dimension past)
    {
        context.Link(0, 0, 3, 0);
        context.Link(1, 0, 3, 0);
        context.Link(4, 0, 3, 0);
        context.Link(queryHeads, AxesContext.Out(3, 1), count);
        context.Link(keyHeads, AxesContext.Out(3, 1) with { Inner = count / keyCount }, keyCount);
        context.Link(AxesContext.In(4, 1), AxesContext.Out(3, 1) with { Inner = count / keyCount }, keyCount);
        context.Link(0, row, 3, 2);
        var mode = context.Node.Int("qk_matmul_output_mode");
        if (mode != 3)
        {
            context.Link(AxesContext.In(1, row), AxesContext.Out(3, 3) with { Offset = past }, context.Size(1, row));
            context.Link(AxesContext.In(4, 2), AxesContext.Out(3, 3), context.Size(4, 2));
        }
        if (mode >= 2)
        {
            Mask(context, 3, false, 1);
            context.Link(6, 0, 3, 0);
        }
    }

    /// <summary>The mask is broadcast to [batch, heads, queries, keys].</summary>
    private static void Mask(AxesContext context, int output, bool flat, Dimension valueSize)
    {
        var rank = context.Rank(3);
        for (var i = 0; i < rank - 1; i++)
            if (context.Size(3, i) is var size && size != 1)
            {
                var end = AxesContext.Out(output, flat ? (4 - rank + i) switch { 0 => 0, 1 => 2, _ => 1 } : 4 - rank + i) with { Outer = Dimension.Unknown };
                context.Link(AxesContext.In(3, i), flat && 4 - rank + i == 1 ? end with { Inner = valueSize } : end, size);
            }
    }

    public override string? Cut(CutContext context)
    {
        var flat = context.Rank(0) == 3;
        if (context.CutsInput(1, flat ? 1 : 2) || context.CutsInput(4, 2))
            return "keys are normalized together";
        if (context.CutsInput(0, flat ? 1 : 2) && (context.Node.Int("is_causal") != 0 || context.Node.Int("left_window_size", -1) >= 0
            || context.Node.Int("right_window_size", -1) >= 0))
            return "what a query may look at depends on its place";
        if (flat)
        {
            var (queryHeads, heads) = (context.Node.Int("q_num_heads", 1), context.Node.Int("kv_num_heads", 1));
            var (size, valueSize) = (context.Length(NodeAxis.OfInput(0, 2)) / queryHeads, context.Length(NodeAxis.OfInput(2, 2)) / heads);
            if (KeptHeads.Of(context.OfInput(0, 2), size) is not { } q || KeptHeads.Of(context.OfInput(1, 2), size) is not { } k
                || KeptHeads.Of(context.OfInput(2, 2), valueSize) is not { } v
                || KeptHeads.Of(context.OfOutput(0, 2), valueSize) is not { } y || !k.Heads.SequenceEqual(v.Heads) || !q.Heads.SequenceEqual(y.Heads)
                || !q.Features.SequenceEqual(k.Features))
                return "heads would keep different features";
            if (!KeptHeads.AreShared(q.Heads, k.Heads, queryHeads / heads))
                return "keys would be shared by different numbers of queries";
            context.Set("q_num_heads", q.Heads.Length);
            context.Set("kv_num_heads", k.Heads.Length);
            Rescale(context, size, q.Features.Length);
            return null;
        }
        var shared = context.Length(NodeAxis.OfInput(0, 1)) / context.Length(NodeAxis.OfInput(1, 1));
        if (!KeptHeads.AreShared(context.OfInput(0, 1), context.OfInput(1, 1), shared))
            return "keys would be shared by different numbers of queries";
        Rescale(context, context.Length(NodeAxis.OfInput(0, 3)), context.OfInput(0, 3).Length);
        return null;
    }

    // Scores are divided by the root of the number of features that there were.
    private static void Rescale(CutContext context, long before, long after)
    {
        if (before != after && !context.Node.Attributes.ContainsKey("scale"))
            context.Set("scale", (float)(1 / Math.Sqrt(before)));
    }

    public override Work Work(WorkContext context)
    {
        var (q, k, v) = (context.Shape(0), context.Shape(1), context.Shape(2));
        if (q is null || k is null || v is null)
            return context.Work();
        var heads = q.Length == 3 ? Math.Max(1, context.Node.Int("kv_num_heads", 1)) : k[1];
        var columns = (k.Length == 3 ? k[1] : k[2]) + (context.Shape(4) is { Length: 4 } past ? past[2] : 0);
        var valueSize = v.Length == 3 ? v[2] / heads : v[3];
        var rows = q.Length == 3 ? q[1] * Math.Max(1, context.Node.Int("q_num_heads", 1)) : q[1] * q[2];
        // Scores, and their products with the values.
        return context.Work(context.Elements(0) * columns + q[0] * rows * columns * valueSize);
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
