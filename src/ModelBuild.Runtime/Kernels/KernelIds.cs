namespace ModelBuild.Kernels;

/// <summary>The numbers of kernels in the artifact format: a retired one is never used again. What a kernel does and takes stands at its record of
/// arguments.</summary>
internal static class KernelIds
{
    /// <summary><see cref="DenseF32Arguments"/>.</summary>
    public const int DenseF32 = 1;

    /// <summary><see cref="QuantizeLinearArguments"/>.</summary>
    public const int QuantizeLinear = 2;

    /// <summary><see cref="DequantizeLinearArguments"/>.</summary>
    public const int DequantizeLinear = 3;

    /// <summary><see cref="DenseInt8Arguments"/>.</summary>
    public const int DenseInt8 = 4;

    /// <summary><see cref="DenseInt8ToF32Arguments"/>.</summary>
    public const int DenseInt8ToF32 = 5;

    /// <summary><see cref="DenseDynamicInt8Arguments"/>.</summary>
    public const int DenseDynamicInt8 = 6;

    /// <summary><see cref="SoftmaxArguments"/>.</summary>
    public const int Softmax = 7;

    /// <summary><see cref="BorderArguments"/>.</summary>
    public const int Border = 8;

    /// <summary><see cref="BinaryArguments"/>.</summary>
    public const int Binary = 9;

    /// <summary><see cref="UnaryArguments"/>.</summary>
    public const int Unary = 10;

    /// <summary><see cref="CopyArguments"/>.</summary>
    public const int Copy = 11;

    /// <summary><see cref="MatMulF32Arguments"/>.</summary>
    public const int MatMulF32 = 12;
}
