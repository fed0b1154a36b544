using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>A residual connection and the normalization after it. The sum may be used further on, as transformers that normalize first do.</summary>
internal static class SkipLayerNorm
{
    private static readonly ValuePattern Sum = SharedSum(Any("input"), Any("skip")).As("x");

    public static Pattern Pattern { get; } =
        new("skip-layer-norm", "Layer normalization of a sum x of two values of one shape, input and skip: scale, bias, epsilon, axis",
    [
        new("contrib", Op(("com.microsoft", "SkipLayerNormalization"), Any("input"), Any("skip"), Any("scale")).AndMore().Take("epsilon", otherwise: [1e-12f])),
        .. Residual(LayerNorm.Forms(Sum)),
    ]);

    public static Pattern RmsPattern { get; } =
        new("skip-rms-norm", "Root mean square normalization of a sum x of two values of one shape, input and skip: scale, epsilon, axis",
    [
        new("contrib", Op(("com.microsoft", "SkipSimplifiedLayerNormalization"), Any("input"), Any("skip"), Any("scale")).AndMore()
            .Take("epsilon", otherwise: [1e-5f])),
        .. Residual(RmsNorm.Forms(Sum)),
    ]);

    private static IEnumerable<PatternForm> Residual(IEnumerable<PatternForm> forms) =>
        forms.Select(static f => f with { Check = m => IsResidual(m) && f.Check?.Invoke(m) != false });

    /// <summary>Whether two computed values of one shape are added: not a bias.</summary>
    private static bool IsResidual(Matching match) => match.Constant("input") is null && match.Constant("skip") is null
        && match.Type("input") is { HasRank: true } a && match.Type("skip") is { HasRank: true } b && a.Shape.AsSpan().SequenceEqual(b.Shape.AsSpan());
}
