namespace ModelBuild.Kernels;

/// <summary>What <see cref="KernelIds.Unary"/> computes, as the ONNX operators of these names do. The numbers are part of the artifact format.</summary>
internal enum UnaryOperation
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
    /// <summary>x, but at least alpha and at most beta: Relu, Clip.</summary>
    Clamp = 14,
    /// <summary>alpha x + beta.</summary>
    Linear = 15,
    /// <summary>Gelu by its approximation with tanh.</summary>
    GeluTanh = 16,
    /// <summary>x sigmoid(alpha x).</summary>
    Swish = 17,
    /// <summary>x above alpha, else 0.</summary>
    ThresholdedRelu = 18,
    /// <summary>x / (1 + |x|).</summary>
    Softsign = 19,
    /// <summary>beta x, or beta alpha (exp(x) - 1) at or below zero.</summary>
    Selu = 20,
    /// <summary>x, or alpha (exp(x / alpha) - 1) below zero.</summary>
    Celu = 21,
    /// <summary>-1, 0 or 1.</summary>
    Sign = 22,
    /// <summary>The largest integer that is not above x.</summary>
    Floor = 23,
    /// <summary>The smallest integer that is not below x.</summary>
    Ceiling = 24,
    /// <summary>The nearest integer, ties to even.</summary>
    Round = 25,
    /// <summary>x + beta below -alpha, x - beta above alpha, else 0.</summary>
    Shrink = 26,
    /// <summary>The natural logarithm.</summary>
    Log = 27,
    /// <summary>The sine.</summary>
    Sin = 28,
    /// <summary>The cosine.</summary>
    Cos = 29,
    /// <summary>The tangent.</summary>
    Tan = 30,
    /// <summary>The arc sine.</summary>
    Asin = 31,
    /// <summary>The arc cosine.</summary>
    Acos = 32,
    /// <summary>The arc tangent.</summary>
    Atan = 33,
    /// <summary>The hyperbolic sine.</summary>
    Sinh = 34,
    /// <summary>The hyperbolic cosine.</summary>
    Cosh = 35,
    /// <summary>The inverse hyperbolic sine.</summary>
    Asinh = 36,
    /// <summary>The inverse hyperbolic cosine.</summary>
    Acosh = 37,
    /// <summary>The inverse hyperbolic tangent.</summary>
    Atanh = 38,
    /// <summary>log(1 + exp(x)).</summary>
    Softplus = 39,
    /// <summary>x tanh(softplus(x)).</summary>
    Mish = 40,
    /// <summary>The last one.</summary>
    Last = Mish,
}
