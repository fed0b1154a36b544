using ModelBuild.Onnx.Patterns;

namespace ModelBuild.Onnx;

/// <summary>All patterns that <see cref="PatternMatcher"/> knows.</summary>
public static class PatternCatalog
{
    /// <summary>Layer normalization.</summary>
    public static Pattern LayerNorm => Patterns.LayerNorm.Pattern;

    /// <summary>A residual sum and its layer normalization.</summary>
    public static Pattern SkipLayerNorm => Patterns.SkipLayerNorm.Pattern;

    /// <summary>Root mean square normalization.</summary>
    public static Pattern RmsNorm => Patterns.RmsNorm.Pattern;

    /// <summary>A residual sum and its root mean square normalization.</summary>
    public static Pattern SkipRmsNorm => Patterns.SkipLayerNorm.RmsPattern;

    /// <summary>Gaussian error linear unit.</summary>
    public static Pattern Gelu => Patterns.Gelu.Pattern;

    /// <summary>Swish, or SiLU.</summary>
    public static Pattern Swish => Activations.Swish;

    /// <summary>Hard swish.</summary>
    public static Pattern HardSwish => Activations.HardSwish;

    /// <summary>Hard sigmoid.</summary>
    public static Pattern HardSigmoid => Activations.HardSigmoid;

    /// <summary>Softplus.</summary>
    public static Pattern Softplus => Activations.Softplus;

    /// <summary>Mish.</summary>
    public static Pattern Mish => Activations.Mish;

    /// <summary>Softmax.</summary>
    public static Pattern Softmax => SoftmaxPatterns.Softmax;

    /// <summary>The logarithm of softmax.</summary>
    public static Pattern LogSoftmax => SoftmaxPatterns.LogSoftmax;

    /// <summary>Normalization to Euclidean length 1.</summary>
    public static Pattern L2Normalization => Patterns.L2Normalization.Pattern;

    /// <summary>Scaled dot product attention, and the heads around it.</summary>
    public static Pattern Attention => AttentionPattern.Pattern;

    /// <summary>Rotary position embedding.</summary>
    public static Pattern RotaryEmbedding => RotaryEmbeddingPattern.Pattern;

    /// <summary>A step of long short-term memory.</summary>
    public static Pattern LstmCell => RecurrentCells.Lstm;

    /// <summary>A step of a gated recurrent unit.</summary>
    public static Pattern GruCell => RecurrentCells.Gru;

    /// <summary>A convolution and its activation.</summary>
    public static Pattern ConvActivation => Patterns.ConvActivation.Pattern;

    /// <summary>A convolution, a residual sum and its activation.</summary>
    public static Pattern ConvAddActivation => Patterns.ConvActivation.ResidualPattern;

    /// <summary>Every pattern, in the order in which they are shown.</summary>
    public static IReadOnlyList<Pattern> All { get; } =
    [
        Attention, RotaryEmbedding, LstmCell, GruCell, LayerNorm, SkipLayerNorm, RmsNorm, SkipRmsNorm, L2Normalization, Softmax, LogSoftmax,
        Gelu, Swish, HardSwish, HardSigmoid, Softplus, Mish, ConvActivation, ConvAddActivation,
    ];
}
