using ModelBuild.Onnx;
using ModelBuild.Onnx.Tests;

namespace ModelBuild.Benchmarks;

/// <summary>A function as exporters write it, and as the standard operator that computes it.</summary>
/// <param name="Pattern">The pattern's name and form.</param>
/// <param name="Operator">The operator, with the operator set that it is measured at.</param>
/// <param name="Opset">That operator set.</param>
/// <param name="Shape">The shape of the input.</param>
/// <param name="Decomposed">Builds the one.</param>
/// <param name="Fused">Builds the other.</param>
internal sealed record PatternModels(string Pattern, string Operator, long Opset, long[] Shape, Func<GraphBuilder, Value, Value> Decomposed, Func<GraphBuilder,
    Value, Value> Fused)
{
    private const long Heads = 12;

    public static IEnumerable<PatternModels> All => (IEnumerable<PatternModels>)[.. Of(16, 240), .. Of(128, 768)];

    private static IEnumerable<PatternModels> Of(long places, long width)
    {
        long[] shape = [1, places, width];
        yield return new("layer-norm/decomposed", "LayerNormalization", 17, shape,
            (b, x) => b.Sub(x, b.Mean(x)) is var d
                ? b.Add(b.Mul(b.Div(d, b.Node("Sqrt", b.Add(b.Mean(b.Node("Pow", d, b.Number(2))), b.Number(1e-5)))), b.Weights(width)), b.Weights(width)) : x,
            (b, x) => b.Node("LayerNormalization", [x, b.Weights(width), b.Weights(width)], ("epsilon", 1e-5f)));
        yield return new("rms-norm/decomposed", "RMSNormalization", 23, shape,
            (b, x) => b.Mul(b.Mul(x, b.Div(b.Number(1), b.Node("Sqrt", b.Add(b.Mean(b.Mul(x, x)), b.Number(1e-5))))), b.Weights(width)),
            (b, x) => b.Node("RMSNormalization", [x, b.Weights(width)], ("epsilon", 1e-5f)));
        yield return new("gelu/erf", "Gelu", 20, shape,
            (b, x) => b.Mul(b.Mul(x, b.Add(b.Node("Erf", b.Div(x, b.Number(Math.Sqrt(2)))), b.Number(1))), b.Number(0.5)),
            (b, x) => b.Node("Gelu", x));
        yield return new("gelu/tanh", "Gelu", 20, shape,
            (b, x) => b.Mul(b.Mul(b.Number(0.5), x),
                b.Add(b.Number(1), b.Node("Tanh",
                b.Mul(b.Number(Math.Sqrt(2 / Math.PI)), b.Add(x, b.Mul(b.Number(0.044715), b.Node("Pow", x, b.Number(3)))))))),
            (b, x) => b.Node("Gelu", [x], ("approximate", "tanh")));
        yield return new("swish/sigmoid", "Swish", 24, shape, (b, x) => b.Mul(x, b.Node("Sigmoid", x)), (b, x) => b.Node("Swish", x));
        yield return new("hard-swish/clip-6", "HardSwish", 14, shape,
            (b, x) => b.Div(b.Mul(x, b.Node("Clip", b.Add(x, b.Number(3)), b.Number(0), b.Number(6))), b.Number(6)),
            (b, x) => b.Node("HardSwish", x));
        yield return new("hard-swish/hard-sigmoid", "HardSwish", 14, shape, (b, x) => b.Mul(x, b.Node("HardSigmoid", [x], ("alpha", 1 / 6f))),
            (b, x) => b.Node("HardSwish", x));
        yield return new("hard-swish/clip-6", "HardSigmoid and Mul", 14, shape,
            (b, x) => b.Div(b.Mul(x, b.Node("Clip", b.Add(x, b.Number(3)), b.Number(0), b.Number(6))), b.Number(6)),
            (b, x) => b.Mul(x, b.Node("HardSigmoid", [x], ("alpha", 1 / 6f))));
        yield return new("hard-sigmoid/clip-6", "HardSigmoid", 14, shape,
            (b, x) => b.Div(b.Node("Clip", b.Add(x, b.Number(3)), b.Number(0), b.Number(6)), b.Number(6)),
            (b, x) => b.Node("HardSigmoid", [x], ("alpha", 1 / 6f)));
        yield return new("softplus/log-exp", "Softplus", 14, shape, (b, x) => b.Node("Log", b.Add(b.Node("Exp", x), b.Number(1))),
            (b, x) => b.Node("Softplus", x));
        yield return new("mish/softplus", "Mish", 18, shape, (b, x) => b.Mul(x, b.Node("Tanh", b.Node("Softplus", x))), (b, x) => b.Node("Mish", x));
        yield return new("softmax/shifted", "Softmax", 13, shape,
            (b, x) => b.Node("Exp", b.Sub(x, b.Reduce("ReduceMax", x, 2))) is var e ? b.Div(e, b.Reduce("ReduceSum", e, 2)) : x,
            (b, x) => b.Node("Softmax", [x], ("axis", -1L)));
        yield return new("log-softmax/log", "LogSoftmax", 13, shape, (b, x) => b.Node("Log", b.Node("Softmax", [x], ("axis", -1L))),
            (b, x) => b.Node("LogSoftmax", [x], ("axis", -1L)));
        yield return new("l2-normalization/decomposed", "LpNormalization", 17, shape, (b, x) => b.Div(x, b.Reduce("ReduceL2", x, 2)),
            (b, x) => b.Node("LpNormalization", [x], ("axis", -1L)));
        yield return new("attention/multi-head", "Attention", 23, shape, (b, x) => Attention(b, x, width),
            (b, x) => b.Node("Attention", [x, x, x], ("q_num_heads", Heads), ("kv_num_heads", Heads)));
        yield return new("rotary-embedding/rotate-half", "RotaryEmbedding", 23, [1, Heads, places, width / Heads], RotateHalf,
            (b, x) => b.Node("RotaryEmbedding", x, Angles(b, x), Angles(b, x)));
    }

    /// <summary>The model of one of the two, with its inputs.</summary>
    public GraphBuilder Model(Func<GraphBuilder, Value, Value> build)
    {
        GraphBuilder builder = new(Opset);
        builder.Finish(build(builder, builder.Input("x", Shape)));
        return builder;
    }

    private static Value Attention(GraphBuilder b, Value x, long width)
    {
        Value Split(params long[] order) => b.Transpose(b.Reshape(x, 0, 0, Heads, width / Heads), order);
        Value scores = b.Mul(b.Node("MatMul", Split(0, 2, 1, 3), Split(0, 2, 3, 1)), b.Number(1 / Math.Sqrt(width / (double)Heads)));
        return b.Reshape(b.Transpose(b.Node("MatMul", b.Node("Softmax", [scores], ("axis", -1L)), Split(0, 2, 1, 3)), 0, 2, 1, 3), 0, 0, width);
    }

    private static Value RotateHalf(GraphBuilder b, Value x)
    {
        (Value angles, var middle) = (Angles(b, x), x.Type!.Shape[3].Value / 2);
        Value both = b.Node("Unsqueeze", b.Node("Concat", [angles, angles], ("axis", -1L)), b.Integers(1));
        Value rotated = b.Node("Concat", [b.Node("Neg", b.Node("Slice", x, b.Integers(middle), b.Integers(long.MaxValue), b.Integers(3))),
            b.Node("Slice", x, b.Integers(0), b.Integers(middle), b.Integers(3))], ("axis", -1L));
        return b.Add(b.Mul(x, both), b.Mul(rotated, both));
    }

    /// <summary>(batch, places, half a head's size) for either function of the angles.</summary>
    private static Value Angles(GraphBuilder b, Value x)
    {
        long[] shape = [1, x.Type!.Shape[2].Value, x.Type.Shape[3].Value / 2];
        float[] values = [.. Enumerable.Range(0, (int)Tensor.Count(shape)).Select(i => MathF.Cos(i))];
        return b.Constant(Tensor.Of(values, shape));
    }
}
