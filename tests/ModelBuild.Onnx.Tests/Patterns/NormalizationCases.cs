namespace ModelBuild.Onnx.Tests;

/// <summary>Normalizations as exporters write them, and near misses.</summary>
internal static class NormalizationCases
{
    public static IEnumerable<PatternCase> All =>
    [
        Layer("torch: pow, division", "decomposed", (b, x) => b.Add(b.Mul(b.Div(Deviation(b, x), Root(b, x)), b.Weights(6)), b.Weights(6))),
        Layer("keras: square as product, reciprocal root", "decomposed", (b, x) =>
        {
            var d = b.Sub(x, b.Mean(x));
            var variance = b.Add(b.Mean(b.Mul(d, d)), b.Number(1e-3));
            return b.Add(b.Mul(b.Mul(d, b.Node("Reciprocal", b.Node("Sqrt", variance))), b.Weights(1, 1, 6)), b.Weights(1, 6));
        }),
        Layer("without bias", "without-bias", (b, x) => b.Mul(b.Weights(6), b.Div(Deviation(b, x), Root(b, x)))),
        Layer("without scale", "without-scale", (b, x) => b.Div(Deviation(b, x), Root(b, x))),
        Layer("tensorflow: as batch normalization", "batch-normalization", (b, x) =>
        {
            var mean = b.Mean(x);
            var factor = b.Mul(b.Node("Reciprocal", b.Node("Sqrt", b.Add(b.Mean(b.Node("Pow", Deviation(b, x), b.Number(2))), b.Number(1e-3)))), b.Weights(6));
            return b.Add(b.Mul(x, factor), b.Sub(b.Weights(6), b.Mul(mean, factor)));
        }),
        Layer("jax: moments", "moments", (b, x) =>
        {
            var mean = b.Mul(b.Reduce("ReduceSum", x, 2, keep: false), b.Number(1 / 6.0));
            var square = b.Mul(b.Reduce("ReduceSum", b.Mul(x, x), 2, keep: false), b.Number(1 / 6.0));
            var variance = b.Reshape(b.Node("Max", b.Number(0), b.Sub(square, b.Mul(mean, mean))), 2, 5, 1);
            var factor = b.Mul(b.Node("Reciprocal", b.Node("Sqrt", b.Add(variance, b.Number(1e-3)))), b.Weights(6));
            return b.Add(b.Mul(b.Sub(x, b.Reshape(mean, 2, 5, 1)), factor), b.Weights(6));
        }),
        Layer("the operator", "operator", (b, x) => b.Node("LayerNormalization", [x, b.Weights(6), b.Weights(6)], ("axis", -1L))),
        Layer("along the last two axes", "decomposed", (b, x) =>
        {
            Value Mean(Value v) => b.Node("ReduceMean", [v], ("axes", new[] { 1L, 2L }));
            var d = b.Sub(x, Mean(x));
            return b.Add(b.Mul(b.Div(d, b.Node("Sqrt", b.Add(Mean(b.Mul(d, d)), b.Number(1e-5)))), b.Weights(5, 6)), b.Weights(5, 6));
        }),
        Layer("not along the last axis", null, (b, x) => b.Add(b.Mul(b.Div(b.Sub(x, b.Mean(x, 1)), Root(b, x, 1)), b.Weights(6)), b.Weights(6))),
        Layer("mean and variance along different axes", null, (b, x) => b.Add(b.Mul(b.Div(Deviation(b, x), Root(b, x, 1)), b.Weights(6)), b.Weights(6))),
        Layer("cubed instead of squared", null, (b, x) => b.Add(b.Mul(b.Div(Deviation(b, x), Root(b, x, power: 3, epsilon: 90)), b.Weights(6)), b.Weights(6))),
        Layer("scale of a higher rank", null, (b, x) => b.Mul(b.Div(Deviation(b, x), Root(b, x)), b.Weights(1, 1, 1, 6)), shape: true),
        Layer("scale along another axis", null, (b, x) => b.Mul(b.Div(Deviation(b, x), Root(b, x)), b.Weights(5, 1)), shape: true),
        Layer("another value's variance", null, (b, x) => b.Add(b.Mul(b.Div(Deviation(b, x), Root(b, b.Node("Exp", x))), b.Weights(6)), b.Weights(6))),
        new("the normalized value is used elsewhere", PatternCatalog.LayerNorm, "without-scale", b =>
        {
            var x = b.Input("x", 2, 5, 6);
            var normalized = b.Div(Deviation(b, x), Root(b, x));
            return [b.Add(b.Mul(normalized, b.Weights(6)), b.Weights(6)), b.Node("Relu", normalized)];
        }),
        new("the variance is used elsewhere", PatternCatalog.LayerNorm, null, b =>
        {
            var x = b.Input("x", 2, 5, 6);
            var root = Root(b, x);
            return [b.Add(b.Mul(b.Div(Deviation(b, x), root), b.Weights(6)), b.Weights(6)), root];
        }),
        new("post-normalization", PatternCatalog.SkipLayerNorm, "operator", b =>
            [b.Node("LayerNormalization", [b.Add(b.Input("x", 2, 5, 6), b.Node("Relu", b.Input("y", 2, 5, 6))), b.Weights(6), b.Weights(6)],
                ("axis", -1L))]) { Captures = ["input", "skip", "scale", "bias"] },
        new("pre-normalization: the sum goes on", PatternCatalog.SkipLayerNorm, "decomposed", b =>
        {
            var sum = b.Add(b.Input("x", 2, 5, 6), b.Input("y", 2, 5, 6));
            return [b.Add(b.Mul(b.Div(Deviation(b, sum), Root(b, sum)), b.Weights(6)), b.Weights(6)), b.Node("Relu", sum)];
        }),
        new("a bias is no residual", PatternCatalog.SkipLayerNorm, null, b =>
            [b.Node("LayerNormalization", [b.Add(b.Input("x", 2, 5, 6), b.Weights(2, 5, 6)), b.Weights(6), b.Weights(6)], ("axis", -1L))]),
        new("a broadcast summand", PatternCatalog.SkipLayerNorm, null, b =>
            [b.Node("LayerNormalization", [b.Add(b.Input("x", 2, 5, 6), b.Input("y", 1, 5, 6)), b.Weights(6), b.Weights(6)], ("axis", -1L))]),
        Rms("llama: one over the root", "decomposed", (b, x) => b.Mul(b.Mul(x, b.Div(b.Number(1), MeanSquareRoot(b, x))), b.Weights(6))),
        Rms("scale times inverse root first", "decomposed", (b, x) => b.Mul(x, b.Mul(b.Node("Reciprocal", MeanSquareRoot(b, x)), b.Weights(6)))),
        Rms("divided", "divided", (b, x) => b.Mul(b.Weights(6), b.Div(x, MeanSquareRoot(b, x)))),
        Rms("a sum instead of a mean", null,
            (b, x) => b.Mul(b.Weights(6), b.Div(x, b.Node("Sqrt", b.Add(b.Reduce("ReduceSum", b.Mul(x, x), -1), b.Number(1e-5)))))),
        Rms("of a centred value", null, (b, x) => Deviation(b, x) is var d ? b.Mul(b.Weights(6), b.Div(d, MeanSquareRoot(b, d))) : x),
        new("residual", PatternCatalog.SkipRmsNorm, "decomposed", b =>
        {
            var sum = b.Add(b.Input("x", 2, 5, 6), b.Input("y", 2, 5, 6));
            return [b.Mul(b.Mul(sum, b.Div(b.Number(1), MeanSquareRoot(b, sum))), b.Weights(6)), b.Node("Relu", sum)];
        }),
        new("norm", PatternCatalog.L2Normalization, "decomposed", b => b.Input("x", 2, 6) is var x ? [b.Div(x, b.Reduce("ReduceL2", x, 1))] : []),
        new("root of squares, kept from zero", PatternCatalog.L2Normalization, "decomposed", b =>
            b.Input("x", 2, 6) is var x ? [b.Div(x, b.Node("Clip", b.Node("Sqrt", b.Reduce("ReduceSum", b.Mul(x, x), 1)), b.Number(1e-12)))]
                : []) { Captures = ["axes", "epsilon"] },
        new("another value's norm", PatternCatalog.L2Normalization, null, b => b.Input("x", 2, 6) is var x
            ? [b.Div(x, b.Reduce("ReduceL2", b.Node("Exp", x), 1))] : []),
        new("jax: shifted by the largest", PatternCatalog.Softmax, "shifted", b =>
        {
            var x = b.Input("x", 3, 6);
            var largest = b.Node("Max", b.Number(double.NegativeInfinity), b.Node("ReduceMax", [x], ("axes", new[] { 1L }), ("keepdims", 0L)));
            var e = b.Node("Exp", b.Sub(x, b.Reshape(largest, 3, 1)));
            return [b.Div(e, b.Reshape(b.Reduce("ReduceSum", e, 1, keep: false), 3, 1))];
        }),
        new("a sum along another axis", PatternCatalog.Softmax, null, b =>
        {
            var x = b.Input("x", 3, 6);
            var e = b.Node("Exp", b.Sub(x, b.Node("ReduceMax", [x], ("axes", new[] { 1L }))));
            return [b.Div(e, b.Reduce("ReduceSum", e, 0))];
        }),
        new("the logarithm of the operator", PatternCatalog.LogSoftmax, "log", b => [b.Node("Log", b.Node("Softmax", [b.Input("x", 3, 6)], ("axis", -1L)))]),
    ];

    private static PatternCase Layer(string name, string? form, Func<GraphBuilder, Value, Value> build, bool shape = false) =>
        // Normalized, but with a scale that is none: what is left is the normalization without it.
        new(name, PatternCatalog.LayerNorm, form ?? (shape ? "without-scale" : null), b => [build(b, b.Input("x", 2, 5, 6))])
        { Captures = form is null || form == "operator" ? [] : ["x", "epsilon", "axis"] };

    private static PatternCase Rms(string name, string? form, Func<GraphBuilder, Value, Value> build) =>
        new(name, PatternCatalog.RmsNorm, form, b => [build(b, b.Input("x", 2, 5, 6))]) { Captures = form is null ? [] : ["x", "scale", "epsilon"] };

    private static Value Deviation(GraphBuilder b, Value x) => b.Sub(x, b.Mean(x));

    private static Value Root(GraphBuilder b, Value x, long axis = -1, double power = 2, double epsilon = 1e-5) =>
        b.Node("Sqrt", b.Add(b.Mean(b.Node("Pow", Deviation(b, x), b.Number(power)), axis), b.Number(epsilon)));

    private static Value MeanSquareRoot(GraphBuilder b, Value x) => b.Node("Sqrt", b.Add(b.Mean(b.Node("Pow", x, b.Number(2))), b.Number(1e-5)));
}
