using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>Layer normalization (Ba et al. 2016): (x - mean) / sqrt(variance + epsilon) * scale + bias, along the last axes.</summary>
internal static class LayerNorm
{
    private static readonly ValuePattern Same = Any("x");
    private static readonly ValuePattern Scale = Constant("scale");
    private static readonly ValuePattern Bias = Constant("bias");

    public static Pattern Pattern { get; } = new("layer-norm", "Layer normalization along the last axes of x: scale, bias, epsilon, axis", [.. Forms(Same)])
    {
        Replacements = [new("LayerNormalization", 17, ["x", "scale", "bias"]) { Configure = NormalizedAxes.Configure }],
    };

    /// <summary>The forms of the normalization of a value that is captured as <c>x</c>.</summary>
    public static IEnumerable<PatternForm> Forms(ValuePattern x)
    {
        yield return new("operator", Operator(x));
        yield return new("decomposed", Add(Mul(Normalized(x), Scale), Bias), NormalizedAxes.AreLast);
        yield return new("without-bias", Mul(Normalized(x), Scale), NormalizedAxes.AreLast);
        yield return new("batch-normalization", ByBatchNormalization(x), NormalizedAxes.AreLast);
        yield return new("moments", ByMoments(x), static m => IsReducedAlike(m, "mean") && NormalizedAxes.AreLast(m)) { IsExact = false };
        // The operator cannot do without a scale.
        yield return new("without-scale", Normalized(x), NormalizedAxes.AreLast) { IsExact = false };
    }

    /// <summary>Whether a captured value has the shape of <c>x</c>, with 1 along <c>axes</c>.</summary>
    public static bool IsReducedAlike(Matching match, string capture)
    {
        if (match.Type("x") is not { HasRank: true } x || match.Type(capture) is not { HasRank: true } reduced || reduced.Rank != x.Rank
            || match.Numbers("axes") is not { } axes)
            return false;
        return axes.All(a => (int)(a < 0 ? a + x.Rank : a) is var i && i >= 0 && i < x.Rank && reduced.Shape[i].IsConstant && reduced.Shape[i].Value == 1);
    }

    private static ValuePattern Operator(ValuePattern x) => OneOf(
        Op("LayerNormalization", x, Any("scale"), Any("bias")).Take("axis", otherwise: [-1]).Take("epsilon", otherwise: [1e-5f]),
        Op("LayerNormalization", x, Any("scale")).Take("axis", otherwise: [-1]).Take("epsilon", otherwise: [1e-5f]));

    private static ValuePattern Normalized(ValuePattern x) =>
        OverRoot(Op("Sub", x, Mean(Same)), Add(Mean(Square(Op("Sub", Same, Mean(Same)))), Number("epsilon")));

    /// <summary>x * f + (bias - mean * f) with f = scale / sqrt(variance + epsilon), as TensorFlow writes it.</summary>
    private static ValuePattern ByBatchNormalization(ValuePattern x)
    {
        var variance = Mean(Square(Op("Sub", Same, Mean(Same))));
        var factor = Mul(InverseRoot(Add(variance, Number("epsilon"))), Scale).As("factor");
        return Add(Mul(x, factor), Op("Sub", Bias, Mul(Mean(Same), Any("factor"))));
    }

    /// <summary>With the variance as mean(x²) - mean(x)², and means as sums times a number, as JAX writes it.</summary>
    private static ValuePattern ByMoments(ValuePattern x)
    {
        var variance = Op("Sub", AnyMean(Square(Same)), Square(AnyMean(Same)));
        var positive = OneOf(Op("Max", Number(0), variance), variance);
        return Add(Mul(Op("Sub", x, View(AnyMean(Same)).As("mean")), Mul(InverseRoot(Add(View(positive), Number("epsilon"))), Scale)), Bias);
    }

    private static ValuePattern AnyMean(ValuePattern v) => OneOf(
        Op("ReduceMean", v).Take("axes", input: 1),
        Op("Mul", Op("ReduceSum", v).Take("axes", input: 1), Number("reciprocal")));
}
