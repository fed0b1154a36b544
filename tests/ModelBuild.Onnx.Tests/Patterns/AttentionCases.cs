namespace ModelBuild.Onnx.Tests;

/// <summary>Attention and rotary embeddings as exporters write them, and near misses: 2 batches, 5 places, 4 heads of 6.</summary>
internal static class AttentionCases
{
    private const long Batch = 2;
    private const long Places = 5;
    private const long Heads = 4;
    private const long Size = 6;
    private const long Width = Heads * Size;

    public static IEnumerable<PatternCase> All =>
    [
        new("torch: heads split and merged, mask added", PatternCatalog.Attention, "multi-head", b =>
        {
            var scores = b.Div(b.Node("MatMul", Split(b, b.Input("q", Batch, Places, Width)), SplitTransposed(b, b.Input("k", Batch, Places, Width))),
                b.Number(Math.Sqrt(Size)));
            var p = Softmax(b, b.Add(scores, b.Input("mask", Batch, 1, 1, Places)));
            return [Merge(b, b.Node("MatMul", p, Split(b, b.Input("v", Batch, Places, Width))))];
        })
        { Captures = ["query", "key", "value", "mask"], Numbers = new() { ["heads"] = Heads, ["keyValueHeads"] = Heads, ["scale"] = 1 / Math.Sqrt(Size),
            ["causal"] = double.NaN }, IsRewritten = false },
        new("a mask for every query", PatternCatalog.Attention, "multi-head", b =>
        {
            var scores = b.Div(b.Node("MatMul", Split(b, b.Input("q", Batch, Places, Width)), SplitTransposed(b, b.Input("k", Batch, Places, Width))),
                b.Number(Math.Sqrt(Size)));
            var p = Softmax(b, b.Add(scores, b.Input("mask", Batch, 1, Places, Places)));
            return [Merge(b, b.Node("MatMul", p, Split(b, b.Input("v", Batch, Places, Width))))];
        })
        { Captures = ["query", "key", "value", "mask"] },
        new("places and heads mixed up", PatternCatalog.Attention, "multi-head", b =>
        {
            // The query is split along its places, too: what is captured is what the split gave.
            var q = b.Transpose(b.Reshape(b.Input("q", Batch, Places * 2, Width / 2), Batch, Places, Heads, Size), 0, 2, 1, 3);
            var scores = b.Div(b.Node("MatMul", q, SplitTransposed(b, b.Input("k", Batch, Places, Width))), b.Number(Math.Sqrt(Size)));
            return [Merge(b, b.Node("MatMul", Softmax(b, scores), Split(b, b.Input("v", Batch, Places, Width))))];
        })
        { Captures = ["query", "key", "value"], IsRewritten = false },
        new("torch: scaled on both sides, constant causal mask", PatternCatalog.Attention, "multi-head", b =>
        {
            var root = b.Number(Math.Pow(Size, -0.25));
            var scores = b.Node("MatMul", b.Mul(Split(b, b.Input("q", Batch, Places, Width)), root),
                b.Mul(SplitTransposed(b, b.Input("k", Batch, Places, Width)), root));
            var p = Softmax(b, b.Add(scores, Triangle(b, float.NegativeInfinity, 4)));
            return [Merge(b, b.Node("MatMul", p, Split(b, b.Input("v", Batch, Places, Width))))];
        })
        { Captures = ["query", "key", "value", "mask"], Numbers = new() { ["scale"] = 1 / Math.Sqrt(Size), ["causal"] = 1 } },
        new("a constant mask that hides little", PatternCatalog.Attention, "core", b =>
            [Attend(b, b.Input("q", Batch, Places, Size), b.Input("k", Batch, Places, Size), b.Input("v", Batch, Places, Size),
                s => b.Add(s, Triangle(b, -1, 3)))])
        { Captures = ["q", "k", "v", "mask"], Numbers = new() { ["causal"] = double.NaN, ["scale"] = 1 }, IsRewritten = false },
        new("causal mask by comparison", PatternCatalog.Attention, "core", b =>
        {
            var range = b.Node("Range", b.Integer(0), b.Node("Gather", b.Node("Shape", b.Input("q", Batch, Places, Size)), b.Integer(1)), b.Integer(1));
            var later = b.Node("Less", b.Node("Unsqueeze", range, b.Integers(1)), b.Node("Unsqueeze", range, b.Integers(0)));
            var mask = b.Mul(b.Node("Cast", [later], ("to", 1L)), b.Number(-1e9));
            return [Attend(b, b.Model.Graph.Inputs[0], b.Input("k", Batch, Places, Size), b.Input("v", Batch, Places, Size), s => b.Add(s, mask))];
        })
        { Captures = ["q", "k", "v", "mask"], Numbers = new() { ["causal"] = 1 }, IsRewritten = false },
        new("the comparison the other way around", PatternCatalog.Attention, "core", b =>
        {
            var range = b.Node("Range", b.Integer(0), b.Node("Gather", b.Node("Shape", b.Input("q", Batch, Places, Size)), b.Integer(1)), b.Integer(1));
            var earlier = b.Node("Less", b.Node("Unsqueeze", range, b.Integers(0)), b.Node("Unsqueeze", range, b.Integers(1)));
            var mask = b.Mul(b.Node("Cast", [earlier], ("to", 1L)), b.Number(-1e9));
            return [Attend(b, b.Model.Graph.Inputs[0], b.Input("k", Batch, Places, Size), b.Input("v", Batch, Places, Size), s => b.Add(s, mask))];
        })
        { Captures = ["mask"], Numbers = new() { ["causal"] = double.NaN }, IsRewritten = false },
        new("rows that are hidden everywhere are zero", PatternCatalog.Attention, "core", b =>
        {
            var keep = b.Node("Greater", b.Input("m", Batch, Places, Places), b.Number(0));
            var scores = b.Node("MatMul", b.Input("q", Batch, Places, Size), b.Transpose(b.Input("k", Batch, Places, Size), 0, 2, 1));
            var p = Softmax(b, b.Node("Where", keep, scores, b.Number(float.NegativeInfinity)));
            return [b.Node("MatMul", b.Node("Where", b.Node("IsNaN", p), b.Number(0), p), b.Input("v", Batch, Places, Size))];
        })
        { Captures = ["q", "k", "v", "keep"], IsRewritten = false },
        new("paddle: query, key and value in one", PatternCatalog.Attention, "heads", b =>
        {
            var all = b.Transpose(b.Reshape(b.Input("x", Batch, Places, 3 * Width), Batch, Places, 3, Heads, Size), 2, 0, 3, 1, 4);
            Value Third(long i) => b.Node("Squeeze", b.Node("Slice", all, b.Integers(i), b.Integers(i + 1), b.Integers(0)), b.Integers(0));
            var p = Softmax(b, b.Node("MatMul", b.Mul(Third(0), b.Number(0.5)), b.Transpose(Third(1), 0, 1, 3, 2)));
            return [Merge(b, b.Node("MatMul", p, Third(2)))];
        })
        { Captures = ["q", "k", "v"], Numbers = new() { ["heads"] = Heads, ["scale"] = 0.5 }, IsRewritten = false },
        new("heads folded into the batch", PatternCatalog.Attention, "multi-head-batched", b =>
        {
            Value Fold(Value x) => b.Transpose(b.Reshape(x, Places, Batch * Heads, Size), 1, 0, 2);
            var p = Softmax(b, b.Node("MatMul", b.Mul(Fold(b.Input("q", Places, Batch, Width)), b.Number(0.4)),
                b.Transpose(Fold(b.Input("k", Places, Batch, Width)), 0, 2, 1)));
            return [b.Reshape(b.Transpose(b.Node("MatMul", p, Fold(b.Input("v", Places, Batch, Width))), 1, 0, 2), Places, Batch, Width)];
        })
        { Captures = ["query", "key", "value"], Numbers = new() { ["scale"] = 0.4 }, IsRewritten = false },
        new("two query heads for each key and value", PatternCatalog.Attention, "multi-head", b =>
        {
            Value Repeat(string name) => b.Reshape(b.Node("Expand",
                b.Node("Unsqueeze", b.Reshape(b.Input(name, Batch, Places, Width / 2), Batch, Places, Heads / 2, Size), b.Integers(3)),
                b.Integers(1, 1, 1, 2, 1)), Batch, Places, Heads, Size);
            var p = Softmax(b, b.Div(b.Node("MatMul", Split(b, b.Input("q", Batch, Places, Width)), b.Transpose(Repeat("k"), 0, 2, 3, 1)), b.Number(2)));
            return [Merge(b, b.Node("MatMul", p, b.Transpose(Repeat("v"), 0, 2, 1, 3)))];
        })
        { Captures = ["query", "key", "value"], Numbers = new() { ["heads"] = Heads, ["keyValueHeads"] = Heads / 2 }, IsRewritten = false },
        new("the operator", PatternCatalog.Attention, "operator", b =>
            [b.Node("Attention", b.Input("q", Batch, Heads, Places, Size), b.Input("k", Batch, Heads, Places, Size),
                b.Input("v", Batch, Heads, Places, Size))]) { Opset = 23 },
        new("softmax over the queries", PatternCatalog.Attention, null, b =>
        {
            var scores = b.Node("MatMul", b.Input("q", Batch, Places, Size), b.Transpose(b.Input("k", Batch, Places, Size), 0, 2, 1));
            return [b.Node("MatMul", b.Node("Softmax", [scores], ("axis", 1L)), b.Input("v", Batch, Places, Size))];
        }),
        new("the probabilities are used elsewhere", PatternCatalog.Attention, null, b =>
        {
            var p = Softmax(b, b.Node("MatMul", b.Input("q", Batch, Places, Size), b.Transpose(b.Input("k", Batch, Places, Size), 0, 2, 1)));
            return [b.Node("MatMul", p, b.Input("v", Batch, Places, Size)), p];
        }),
        new("softmax between constant weights", PatternCatalog.Attention, null, b =>
            [b.Node("MatMul", Softmax(b, b.Node("MatMul", b.Input("x", Places, Size), b.Weights(Size, 3))), b.Weights(3, 2))]),
        new("llama: rotated half by slices", PatternCatalog.RotaryEmbedding, "rotate-half", b =>
        {
            var (x, cos, sin) = (b.Input("x", Batch, Heads, Places, Size), b.Input("cos", Places, Size), b.Input("sin", Places, Size));
            return [b.Add(b.Mul(x, cos), b.Mul(RotateHalf(b, x, Size / 2), sin))];
        })
        { Captures = ["x", "cos", "sin"] },
        new("halves by Split", PatternCatalog.RotaryEmbedding, "halves", b =>
        {
            var (x, cos, sin) = (b.Input("x", Batch, Heads, Places, Size), b.Input("cos", Places, Size / 2), b.Input("sin", Places, Size / 2));
            var halves = b.Nodes("Split", [x, b.Integers(Size / 2, Size / 2)], 2, ("axis", -1L));
            return [b.Node("Concat", [b.Sub(b.Mul(halves[0], cos), b.Mul(halves[1], sin)), b.Add(b.Mul(halves[1], cos), b.Mul(halves[0], sin))],
                ("axis", -1L))];
        })
        { Captures = ["x", "cos", "sin"] },
        new("neighbours by Gather", PatternCatalog.RotaryEmbedding, "interleaved", b =>
        {
            var pairs = b.Reshape(b.Input("x", Batch, Places, Heads, Size), Batch, Places, Heads, Size / 2, 2);
            return [Interleave(b, i => b.Node("Gather", [pairs, b.Integer(i)], ("axis", 4L)))];
        })
        { Captures = ["pairs", "cos", "sin"] },
        new("neighbours by slices", PatternCatalog.RotaryEmbedding, "interleaved", b =>
        {
            var x = b.Input("x", Batch, Places, Heads, Size);
            return [Interleave(b, i => b.Node("Slice", x, b.Integers(i), b.Integers(long.MaxValue), b.Integers(3), b.Integers(2)))];
        })
        { Captures = ["pairs", "cos", "sin"] },
        new("picked along another axis", PatternCatalog.RotaryEmbedding, null, b =>
        {
            var pairs = b.Reshape(b.Input("x", Batch, Places, Heads, Size), Batch, Places, Heads, 2, Size / 2);
            return [Interleave(b, i => b.Node("Gather", [pairs, b.Integer(i)], ("axis", 3L)))];
        }),
        new("unequal parts", PatternCatalog.RotaryEmbedding, null, b =>
        {
            var (x, cos, sin) = (b.Input("x", Batch, Heads, Places, Size), b.Input("cos", Places, Size), b.Input("sin", Places, Size));
            return [b.Add(b.Mul(x, cos), b.Mul(RotateHalf(b, x, 2), sin))];
        }),
        new("nothing negated", PatternCatalog.RotaryEmbedding, null, b =>
        {
            var (x, cos, sin) = (b.Input("x", Batch, Heads, Places, Size), b.Input("cos", Places, Size), b.Input("sin", Places, Size));
            return [b.Add(b.Mul(x, cos), b.Mul(RotateHalf(b, x, Size / 2, "Abs"), sin))];
        }),
        new("another value is rotated", PatternCatalog.RotaryEmbedding, null, b =>
        {
            var (x, cos, sin) = (b.Input("x", Batch, Heads, Places, Size), b.Input("cos", Places, Size), b.Input("sin", Places, Size));
            return [b.Add(b.Mul(x, cos), b.Mul(RotateHalf(b, b.Node("Exp", x), Size / 2), sin))];
        }),
    ];

    private static Value Softmax(GraphBuilder b, Value x) => b.Node("Softmax", [x], ("axis", -1L));

    private static Value Attend(GraphBuilder b, Value q, Value k, Value v, Func<Value, Value> mask) =>
        b.Node("MatMul", Softmax(b, mask(b.Node("MatMul", q, b.Transpose(k, 0, 2, 1)))), v);

    private static Value Split(GraphBuilder b, Value x) => b.Transpose(b.Reshape(x, 0, 0, Heads, Size), 0, 2, 1, 3);

    private static Value SplitTransposed(GraphBuilder b, Value x) => b.Transpose(b.Reshape(x, 0, 0, Heads, Size), 0, 2, 3, 1);

    private static Value Merge(GraphBuilder b, Value x) => b.Reshape(b.Transpose(x, 0, 2, 1, 3), 0, 0, Width);

    private static Value Triangle(GraphBuilder b, float hidden, int rank) =>
        b.Constant(Tensor.Of(Enumerable.Range(0, (int)(Places * Places)).Select(i => i % Places > i / Places ? hidden : 0).ToArray(),
            [.. Enumerable.Repeat(1L, rank - 2), Places, Places]));

    private static Value RotateHalf(GraphBuilder b, Value x, long middle, string negate = "Neg") => b.Node("Concat",
        [b.Node(negate, b.Node("Slice", x, b.Integers(middle), b.Integers(long.MaxValue), b.Integers(3))),
            b.Node("Slice", x, b.Integers(0), b.Integers(middle), b.Integers(3))], ("axis", -1L));

    private static Value Interleave(GraphBuilder b, Func<long, Value> pick)
    {
        var (even, odd) = (pick(0), pick(1));
        var (cos, sin) = (b.Input("cos", Size / 2), b.Input("sin", Size / 2));
        Value Column(Value v) => b.Node("Unsqueeze", v, b.Integers(-1));
        var rotated = b.Node("Concat", [Column(b.Sub(b.Mul(even, cos), b.Mul(odd, sin))), Column(b.Add(b.Mul(even, sin), b.Mul(odd, cos)))], ("axis", -1L));
        return b.Reshape(rotated, Batch, Places, Heads, Size);
    }
}
