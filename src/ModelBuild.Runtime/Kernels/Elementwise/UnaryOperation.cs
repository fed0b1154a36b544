namespace ModelBuild.Kernels;

/// <summary>What <see cref="KernelIds.Unary"/> computes, as the ONNX operators of these names do. The numbers are part of the artifact format.</summary>
public enum UnaryOperation
{
    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid = 0,
    /// <summary>tanh(x).</summary>
    Tanh = 1,
    /// <summary>exp(x); infinite for x above 88.02, and 2^-126 or so for x below -87.33.</summary>
    Exp = 2,
    /// <summary>-x.</summary>
    Negate = 3,
    /// <summary>|x|.</summary>
    Abs = 4,
    /// <summary>The square root.</summary>
    Sqrt = 5,
    /// <summary>1 / x.</summary>
    Reciprocal = 6,
    /// <summary>x, or alpha x below zero.</summary>
    LeakyRelu = 7,
    /// <summary>x, or alpha (exp(x) - 1) below zero.</summary>
    Elu = 8,
    /// <summary>alpha x + beta, clamped to 0 .. 1.</summary>
    HardSigmoid = 9,
    /// <summary>x times (x / 6 + 1/2, clamped to 0 .. 1).</summary>
    HardSwish = 10,
    /// <summary>x sigmoid(x): Swish with alpha 1.</summary>
    Silu = 11,
    /// <summary>The error function.</summary>
    Erf = 12,
    /// <summary>x (1 + erf(x / sqrt 2)) / 2.</summary>
    Gelu = 13,
}
