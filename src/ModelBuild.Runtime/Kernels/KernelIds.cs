namespace ModelBuild.Kernels;

/// <summary>
/// The kernels, with their arguments: operands (buffers unless marked as constants), integers, floats. The numbers are part of the artifact format: a
/// retired one is never used again. Shapes are row-major. <c>minimum</c> and <c>maximum</c> clamp the result; use infinities for none.
/// </summary>
public static class KernelIds
{
    /// <summary>
    /// y[M,N] = clamp(x[M,K] W + bias[N]). Operands: x float, W constant <see cref="Packings.DenseF32"/>, bias constant <see cref="Packings.Raw"/> float or
    /// absent, y float. Integers: M, K, N. Floats: minimum, maximum.
    /// </summary>
    public const int DenseF32 = 1;

    /// <summary>ONNX QuantizeLinear, one scale: y = saturate(round half even(x / scale) + zero). Operands: x float, y uint8 or int8. Integers: count, zero, 1
    /// if y is int8. Floats: scale.</summary>
    public const int QuantizeLinear = 2;

    /// <summary>ONNX DequantizeLinear, one scale: y = (x - zero) * scale. Operands: x uint8 or int8, y float. Integers: count, zero, 1 if x is int8. Floats:
    /// scale.</summary>
    public const int DequantizeLinear = 3;

    /// <summary>
    /// Integer dense layer with integer output: y = saturate(round half even(((x - xZero) W + bias) * multiplier[N]) + yZero), clamped to yMinimum..yMaximum;
    /// int32 accumulation, exact. Operands: x uint8 or int8, W constant <see cref="Packings.DenseInt8"/> or <see cref="Packings.DenseInt7"/>, bias constant Raw
    /// int32[N] or absent, multiplier constant Raw float[N] (input scale * weight scale / output scale), y uint8 or int8.
    /// Integers: M, K, N, 1 if W is <see cref="Packings.DenseInt7"/>, 1 if x is int8, xZero, 1 if y is int8, yZero, yMinimum, yMaximum.
    /// </summary>
    public const int DenseInt8 = 4;

    /// <summary>
    /// Integer dense layer with float output: y = clamp(((x - xZero) W) * multiplier[N] + bias[N]). Operands: x uint8 or int8, W as of <see cref="DenseInt8"/>,
    /// bias constant Raw float[N] or absent, multiplier constant Raw float[N] (input scale * weight scale), y float. Integers: M, K, N, 1 if W is
    /// <see cref="Packings.DenseInt7"/>, 1 if x is int8, xZero. Floats: minimum, maximum.
    /// </summary>
    public const int DenseInt8ToF32 = 5;

    /// <summary>
    /// Dense layer on activations that are quantized as they come: ONNX DynamicQuantizeLinear over the whole of x, MatMulInteger, scaling, bias. Operands: x
    /// float, scratch uint8[M,K], W as of
    /// <see cref="DenseInt8"/>, bias constant Raw float[N] or absent, scale constant Raw float[N] (of the weights), y float. Integers: M, K, N, 1 if W is
    /// <see cref="Packings.DenseInt7"/>. Floats: minimum, maximum.
    /// </summary>
    public const int DenseDynamicInt8 = 6;

    /// <summary>Softmax over rows. Operands: x float, y float. Integers: rows, length of a row.</summary>
    public const int Softmax = 7;

    /// <summary>y = clamp(x): Relu, Clip, Relu6. Operands: x float, y float. Integers: count. Floats: minimum, maximum.</summary>
    public const int Clamp = 8;

    /// <summary>
    /// y = clamp(a op b), [rows, length]. Operands: a float, b float (buffer, or constant <see cref="Packings.Raw"/>), y float. Integers:
    /// <see cref="BinaryOperation"/>, <see cref="BinaryLayout"/>
    /// of b, rows, length. Floats: minimum, maximum.
    /// </summary>
    public const int Binary = 9;

    /// <summary>y = op(x), elementwise. Operands: x float, y float. Integers: <see cref="UnaryOperation"/>, count. Floats: alpha, beta (0 where the operation
    /// has none).</summary>
    public const int Unary = 10;

    /// <summary>y = x. Operands: x, y of the same element type. Integers: bytes.</summary>
    public const int Copy = 11;

    /// <summary>
    /// Products of activations: y[i] = a[i] b[i] for every i of a batch. Operands: a float, b float, scratch float[K, N rounded up to 16], y float.
    /// Integers: batch, M, K, N, 1 if b has the batch (0: the same b for all).
    /// </summary>
    public const int MatMulF32 = 12;
}
