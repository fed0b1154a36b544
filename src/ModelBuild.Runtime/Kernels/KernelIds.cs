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

    /// <summary><see cref="SelectArguments"/>.</summary>
    public const int Select = 13;

    /// <summary><see cref="CompareArguments"/>.</summary>
    public const int Compare = 14;

    /// <summary><see cref="ConvertArguments"/>.</summary>
    public const int Convert = 15;

    /// <summary><see cref="ReduceArguments"/>.</summary>
    public const int Reduce = 16;

    /// <summary><see cref="ArgReduceArguments"/>.</summary>
    public const int ArgReduce = 17;

    /// <summary><see cref="NormalizeArguments"/>.</summary>
    public const int Normalize = 18;

    /// <summary><see cref="GatherArguments"/>.</summary>
    public const int Gather = 19;

    /// <summary><see cref="GatherElementsArguments"/>.</summary>
    public const int GatherElements = 20;

    /// <summary><see cref="SizesArguments"/>.</summary>
    public const int Sizes = 21;

    /// <summary><see cref="TapsArguments"/>.</summary>
    public const int Taps = 22;

    /// <summary><see cref="ConvolutionF32Arguments"/>.</summary>
    public const int ConvolutionF32 = 23;

    /// <summary><see cref="DepthwiseF32Arguments"/>.</summary>
    public const int DepthwiseF32 = 24;

    /// <summary><see cref="WinogradF32Arguments"/>.</summary>
    public const int WinogradF32 = 25;

    /// <summary><see cref="PoolF32Arguments"/>.</summary>
    public const int PoolF32 = 26;

    /// <summary><see cref="ConvolutionTransposeF32Arguments"/>.</summary>
    public const int ConvolutionTransposeF32 = 27;

    /// <summary><see cref="LstmF32Arguments"/>.</summary>
    public const int LstmF32 = 28;

    /// <summary><see cref="GruF32Arguments"/>.</summary>
    public const int GruF32 = 29;

    /// <summary><see cref="RnnF32Arguments"/>.</summary>
    public const int RnnF32 = 30;

    /// <summary><see cref="LstmDynamicInt8Arguments"/>.</summary>
    public const int LstmDynamicInt8 = 31;

    /// <summary><see cref="ConvolutionInt8Arguments"/>.</summary>
    public const int ConvolutionInt8 = 32;

    /// <summary><see cref="DepthwiseInt8Arguments"/>.</summary>
    public const int DepthwiseInt8 = 33;

    /// <summary><see cref="PoolInt8Arguments"/>.</summary>
    public const int PoolInt8 = 34;

    /// <summary><see cref="ConvolutionInt8WinogradArguments"/>.</summary>
    public const int ConvolutionInt8Winograd = 35;

    /// <summary><see cref="MapInt8Arguments"/>.</summary>
    public const int MapInt8 = 36;

    /// <summary><see cref="BinaryInt8Arguments"/>.</summary>
    public const int BinaryInt8 = 37;

    /// <summary><see cref="BranchArguments"/>.</summary>
    public const int Branch = 38;

    /// <summary><see cref="RequireArguments"/>.</summary>
    public const int Require = 39;

    /// <summary><see cref="SequenceArguments"/>.</summary>
    public const int Sequence = 40;

    /// <summary><see cref="LoopArguments"/>.</summary>
    public const int Loop = 41;

    /// <summary><see cref="AgainArguments"/>.</summary>
    public const int Again = 42;

    /// <summary><see cref="CollectArguments"/>.</summary>
    public const int Collect = 43;

    /// <summary><see cref="GruDynamicInt8Arguments"/>.</summary>
    public const int GruDynamicInt8 = 44;
}
