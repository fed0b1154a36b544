namespace ModelBuild.Onnx.Tests;

/// <summary>Activations as exporters write them, and near misses.</summary>
internal static class ActivationCases
{
    private static readonly double RootOfTwoOverPi = Math.Sqrt(2 / Math.PI);

    public static IEnumerable<PatternCase> All =>
    [
        Of(PatternCatalog.Gelu, "torch: division by the root of 2", "erf",
            (b, x) => b.Mul(b.Mul(x, Normal(b, b.Div(x, b.Number(Math.Sqrt(2))))), b.Number(0.5))),
        Of(PatternCatalog.Gelu, "keras: half of x first", "erf", (b, x) => b.Mul(b.Mul(b.Number(0.5), x), Normal(b, b.Mul(x, b.Number(0.70710678))))),
        Of(PatternCatalog.Gelu, "half of the rest first", "erf", (b, x) => b.Mul(b.Mul(Normal(b, b.Div(x, b.Number(Math.Sqrt(2)))), b.Number(0.5)), x)),
        Of(PatternCatalog.Gelu, "gpt-2: pow", "tanh", (b, x) => b.Mul(b.Mul(b.Number(0.5), x), OnePlus(b, b.Node("Tanh",
            b.Mul(b.Number(RootOfTwoOverPi), b.Add(x, b.Mul(b.Number(0.044715), b.Node("Pow", x, b.Number(3))))))))),
        Of(PatternCatalog.Gelu, "jax: products", "tanh", (b, x) => b.Mul(x, b.Mul(b.Number(0.5), OnePlus(b, b.Node("Tanh",
            b.Mul(b.Number(RootOfTwoOverPi), b.Add(x, b.Mul(x, b.Mul(x, b.Mul(b.Number(0.044715), x)))))))))),
        Of(PatternCatalog.Gelu, "factored", "tanh", (b, x) => b.Mul(b.Mul(b.Number(0.5), x), OnePlus(b, b.Node("Tanh",
            b.Mul(b.Mul(x, b.Number(RootOfTwoOverPi)), b.Add(b.Number(1), b.Mul(b.Mul(x, x), b.Number(0.044715)))))))),
        Of(PatternCatalog.Gelu, "sigmoid", "sigmoid", (b, x) => b.Mul(x, b.Node("Sigmoid", b.Mul(x, b.Number(1.702))))),
        Of(PatternCatalog.Gelu, "another factor inside", null, (b, x) => b.Mul(b.Mul(x, Normal(b, b.Div(x, b.Number(1.5)))), b.Number(0.5))),
        Of(PatternCatalog.Gelu, "another factor outside", null, (b, x) => b.Mul(b.Mul(x, Normal(b, b.Div(x, b.Number(Math.Sqrt(2))))), b.Number(0.25))),
        Of(PatternCatalog.Gelu, "of two values", null, (b, x) => b.Mul(b.Mul(x, Normal(b, b.Div(b.Node("Neg", x), b.Number(Math.Sqrt(2))))), b.Number(0.5))),
        Of(PatternCatalog.Gelu, "a constant that adds a dimension", null,
            (b, x) => b.Mul(b.Mul(x, Normal(b, b.Div(x, b.Number(Math.Sqrt(2))))), b.Number(0.5, 1, 1, 1))),
        new("the error function is used elsewhere", PatternCatalog.Gelu, null, b =>
        {
            var x = b.Input("x", 3, 8);
            var erf = b.Node("Erf", b.Div(x, b.Number(Math.Sqrt(2))));
            return [b.Mul(b.Mul(x, b.Add(erf, b.Number(1))), b.Number(0.5)), b.Node("Neg", erf)];
        }),
        new("the error function is an output", PatternCatalog.Gelu, null, b =>
        {
            var x = b.Input("x", 3, 8);
            var erf = b.Node("Erf", b.Div(x, b.Number(Math.Sqrt(2))));
            return [b.Mul(b.Mul(x, b.Add(erf, b.Number(1))), b.Number(0.5)), erf];
        }),
        Of(PatternCatalog.HardSwish, "paddle: clip, division by 6", "clip-6", (b, x) => b.Div(b.Mul(x, Clip(b, b.Add(x, b.Number(3)), 0, 6)), b.Number(6))),
        Of(PatternCatalog.HardSwish, "tensorflow: factor on the clipped", "clip-6",
            (b, x) => b.Mul(x, b.Mul(Clip(b, b.Add(x, b.Number(3)), 0, 6), b.Number(1 / 6.0)))),
        Of(PatternCatalog.HardSwish, "torch: hard sigmoid", "hard-sigmoid", (b, x) => b.Mul(x, b.Node("HardSigmoid", [x], ("alpha", 1 / 6f)))),
        Of(PatternCatalog.HardSwish, "slope first", "clip-1", (b, x) => b.Mul(x, Clip(b, b.Add(b.Div(x, b.Number(6)), b.Number(0.5)), 0, 1))),
        Of(PatternCatalog.HardSwish, "another slope", null, (b, x) => b.Mul(x, b.Node("HardSigmoid", x))),
        Of(PatternCatalog.HardSwish, "clipped elsewhere", null, (b, x) => b.Div(b.Mul(x, Clip(b, b.Add(x, b.Number(3)), 0, 5)), b.Number(6))),
        Of(PatternCatalog.HardSigmoid, "clip, division by 6", "clip-6", (b, x) => b.Div(Clip(b, b.Add(x, b.Number(3)), 0, 6), b.Number(6))),
        Of(PatternCatalog.HardSigmoid, "minimum and maximum", "clip-1",
            (b, x) => b.Node("Min", b.Node("Max", b.Add(b.Mul(x, b.Number(1 / 6.0)), b.Number(0.5)), b.Number(0)), b.Number(1))),
        Of(PatternCatalog.HardSigmoid, "another offset", null, (b, x) => b.Div(Clip(b, b.Add(x, b.Number(2)), 0, 6), b.Number(6))),
        Of(PatternCatalog.Swish, "torch", "sigmoid", (b, x) => b.Mul(x, b.Node("Sigmoid", x))),
        Of(PatternCatalog.Swish, "another value's gate", null, (b, x) => b.Mul(x, b.Node("Sigmoid", b.Node("Neg", x)))),
        Of(PatternCatalog.Softplus, "logarithm", "log-exp", (b, x) => b.Node("Log", b.Add(b.Node("Exp", x), b.Number(1)))),
        Of(PatternCatalog.Softplus, "plus two", null, (b, x) => b.Node("Log", b.Add(b.Node("Exp", x), b.Number(2)))),
        Of(PatternCatalog.Mish, "torch", "softplus", (b, x) => b.Mul(x, b.Node("Tanh", b.Node("Softplus", x)))),
        Of(PatternCatalog.Mish, "logarithm", "log-exp", (b, x) => b.Mul(b.Node("Tanh", b.Node("Log", b.Add(b.Number(1), b.Node("Exp", x)))), x)),
        Of(PatternCatalog.Mish, "sigmoid instead of tanh", null, (b, x) => b.Mul(x, b.Node("Sigmoid", b.Node("Softplus", x)))),
        Conv("relu", "relu", (b, x) => b.Node("Relu", x)),
        Conv("relu of 6", "clip", (b, x) => Clip(b, x, 0, 6), "min", "max"),
        Conv("leaky relu", "leaky-relu", (b, x) => b.Node("LeakyRelu", [x], ("alpha", 0.1f)), "alpha"),
        Conv("hard swish", "hard-swish", (b, x) => b.Div(b.Mul(x, Clip(b, b.Add(x, b.Number(3)), 0, 6)), b.Number(6))),
        Conv("swish", "swish", (b, x) => b.Mul(x, b.Node("Sigmoid", x))),
        Conv("sigmoid", "sigmoid", (b, x) => b.Node("Sigmoid", x)),
        Conv("gelu", "gelu", (b, x) => b.Mul(b.Mul(x, Normal(b, b.Div(x, b.Number(Math.Sqrt(2))))), b.Number(0.5))),
        Conv("no activation", null, (b, x) => b.Node("Neg", x)),
        new("the convolution is used elsewhere", PatternCatalog.ConvActivation, null, b => Convolution(b) is var c ? [b.Node("Relu", c), b.Node("Neg", c)]
            : []),
        new("residual", PatternCatalog.ConvAddActivation, "relu", b => [b.Node("Relu", b.Add(b.Input("r", 1, 4, 5, 5), Convolution(b)))]) { Captures =
            ["input", "weights", "residual"] },
        new("residual by Sum", PatternCatalog.ConvAddActivation, "relu",
            b => [b.Node("Relu", b.Node("Sum", b.Input("r", 1, 4, 5, 5), Convolution(b)))]) { Captures = ["residual"] },
        new("a sum of three", PatternCatalog.ConvAddActivation, null,
            b => [b.Node("Relu", b.Node("Sum", b.Input("r", 1, 4, 5, 5), Convolution(b), b.Input("s", 1, 4, 5, 5)))]),
        new("a broadcast summand", PatternCatalog.ConvAddActivation, null, b => [b.Node("Relu", b.Add(b.Input("r", 1, 4, 1, 1), Convolution(b)))]),
    ];

    private static PatternCase Of(Pattern pattern, string name, string? form, Func<GraphBuilder, Value, Value> build) =>
        new(name, pattern, form, b => [build(b, b.Input("x", 3, 8))]) { Captures = form is null ? [] : ["x"] };

    private static PatternCase Conv(string name, string? form, Func<GraphBuilder, Value, Value> build, params string[] captures) =>
        new(name, PatternCatalog.ConvActivation, form, b => [build(b, Convolution(b))]) { Captures = form is null ? [] : ["input", "weights", .. captures] };

    private static Value Convolution(GraphBuilder b) => b.Node("Conv", [b.Input("image", 1, 3, 5, 5), b.Weights(4, 3, 3, 3), b.Weights(4)],
        ("pads", new[] { 1L, 1L, 1L, 1L }));

    private static Value Normal(GraphBuilder b, Value x) => b.Add(b.Node("Erf", x), b.Number(1));

    private static Value OnePlus(GraphBuilder b, Value x) => b.Add(b.Number(1), x);

    private static Value Clip(GraphBuilder b, Value x, double min, double max) => b.Node("Clip", x, b.Number(min), b.Number(max));
}
