using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>The integer dense layer with float output: y = clamp(((x - XZero) W) * multiplier[N] + bias[N]); MatMulInteger or QLinearMatMul whose result is
/// dequantized.</summary>
internal unsafe struct DenseInt8ToF32Arguments : IKernelArguments<DenseInt8ToF32Arguments>
{
    /// <summary>UInt8 or Int8.</summary>
    public ModelElementType XType;
    public Operand X;
    /// <summary>As of <see cref="DenseInt8Arguments"/>.</summary>
    public Operand W;
    /// <summary>N floats, or left out.</summary>
    public Operand Bias;
    /// <summary>N floats: input scale * weight scale.</summary>
    public Operand Multiplier;
    public Operand Y;
    public Size M, K, N;
    /// <summary>Elements from one row to the next.</summary>
    public Size XRow, YRow;
    /// <summary>1 if all weights are within -64 to 64.</summary>
    public Size Narrow;
    public Size XZero;
    /// <summary>The activation that follows; infinities for none.</summary>
    public float Minimum, Maximum;

    public static Kernel<DenseInt8ToF32Arguments> Kernel { get; } = new(KernelIds.DenseInt8ToF32, "DenseInt8ToF32",
        new("avxvnni", AvxVnni.IsSupported, &Run<DenseInt8VnniPath>), new("avx512", DenseInt8Avx512Path.IsSupported, &Run<DenseInt8Avx512Path>),
        new("avx2", Avx2.IsSupported, &Run<DenseInt8Avx2Path>), new("vector128", true, &Run<DenseInt8Vector128Path>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref XType, nameof(XType));
        visitor.Input(ref X, nameof(X), XType);
        visitor.Constant(ref W, nameof(W), Packings.DenseInt8, Packings.DenseInt7);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Float);
        visitor.Input(ref Multiplier, nameof(Multiplier), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref M, nameof(M));
        visitor.Size(ref K, nameof(K));
        visitor.Size(ref N, nameof(N));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref Narrow, nameof(Narrow));
        visitor.Size(ref XZero, nameof(XZero));
        visitor.Number(ref Minimum, nameof(Minimum));
        visitor.Number(ref Maximum, nameof(Maximum));
    }

    public readonly void Check(KernelCheck check)
    {
        DenseInt8Core.Check(check, X, W, Y, M, K, N, XRow, YRow, Narrow);
        check.Present(Multiplier);
        check.Reaches(Bias, N);
        check.Reaches(Multiplier, N);
        DenseInt8Core.CheckZero(check, XType, XZero);
    }

    public readonly long Tiles => DenseInt8Core.Tiles(M, N);

    public readonly long Scratch => 0;

    public readonly double Work => (double)M * K * N;

    private static void Run<TPath>(DenseInt8ToF32Arguments* a, long first, long last, byte* scratch) where TPath : IDenseInt8Path
    {
        var signed = a->XType == ModelElementType.Int8;
        DenseInt8Work work = new()
        {
            X = a->X, W = a->W, FloatBias = a->Bias, Multiplier = a->Multiplier, FloatY = a->Y, M = a->M, K = a->K, N = a->N, XRow = a->XRow, YRow = a->YRow,
            Narrow = a->Narrow == 1, Signed = signed, XZero = (int)a->XZero + (signed ? 128 : 0), Factor = 1, Minimum = a->Minimum, Maximum = a->Maximum,
        };
        DenseInt8Core.Run<TPath>(&work, first, last);
    }
}
