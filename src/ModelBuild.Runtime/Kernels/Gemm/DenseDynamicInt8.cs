using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// The dense layer on activations that are quantized as they come: ONNX DynamicQuantizeLinear over the whole of x, all rows of a batch together, then
/// MatMulInteger, scaling and bias.
/// </summary>
internal unsafe struct DenseDynamicInt8Arguments : IKernelArguments<DenseDynamicInt8Arguments>
{
    public Operand X;
    /// <summary>As of <see cref="DenseInt8Arguments"/>.</summary>
    public Operand W;
    /// <summary>N floats, or left out.</summary>
    public Operand Bias;
    /// <summary>N floats: the weights' scales.</summary>
    public Operand Scales;
    public Operand Y;
    public Size M, K, N;
    /// <summary>Elements from one row to the next.</summary>
    public Size XRow, YRow;
    /// <summary>1 if all weights are within -64 to 64.</summary>
    public Size Narrow;
    /// <summary>The activation that follows; infinities for none.</summary>
    public float Minimum, Maximum;

    public static Kernel<DenseDynamicInt8Arguments> Kernel { get; } = new(KernelIds.DenseDynamicInt8, "DenseDynamicInt8",
        new("avxvnni", AvxVnni.IsSupported, &DenseDynamicInt8.Run<DenseInt8VnniPath>),
        new("avx512", DenseInt8Avx512Path.IsSupported, &DenseDynamicInt8.Run<DenseInt8Avx512Path>),
        new("avx2", Avx2.IsSupported, &DenseDynamicInt8.Run<DenseInt8Avx2Path>), new("vector128", true, &DenseDynamicInt8.Run<DenseInt8Vector128Path>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DenseInt8, Packings.DenseInt7);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Float);
        visitor.Input(ref Scales, nameof(Scales), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref M, nameof(M));
        visitor.Size(ref K, nameof(K));
        visitor.Size(ref N, nameof(N));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref Narrow, nameof(Narrow));
        visitor.Number(ref Minimum, nameof(Minimum));
        visitor.Number(ref Maximum, nameof(Maximum));
    }

    public readonly void Check(KernelCheck check)
    {
        DenseInt8Core.Check(check, X, W, Y, M, K, N, XRow, YRow, Narrow);
        check.Present(Scales);
        check.Reaches(Bias, N);
        check.Reaches(Scales, N);
    }

    // One scale for all rows: whoever quantizes must have seen all of them.
    public readonly long Tiles => 1;

    /// <summary>x, quantized; read ahead in groups of 4.</summary>
    public readonly long Scratch => checked(M * K + 64);

    public readonly double Work => (double)M * K * N;
}

internal static unsafe class DenseDynamicInt8
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath>(DenseDynamicInt8Arguments* a, long first, long last, byte* scratch) where TPath : IDenseInt8Path
    {
        float* x = a->X;
        long m = a->M, k = a->K, xRow = a->XRow;
        var (low, high) = (0f, 0f);
        for (long row = 0; row < m; row++) Widen(x + row * xRow, k, ref low, ref high);
        // All zeros: any scale gives zeros; ONNX Runtime takes 1.
        var scale = high == low ? 1 : (high - low) / 255;
        var zero = (int)Math.Clamp(MathF.Round(-low / scale), 0, 255);
        for (long row = 0; row < m; row++) QuantizeLinear.Row(x + row * xRow, scratch + row * k, k, scale, zero, byte.MinValue);
        DenseInt8Work work = new()
        {
            X = scratch, W = a->W, FloatBias = a->Bias, Multiplier = a->Scales, FloatY = a->Y, M = m, K = k, N = a->N, XRow = k, YRow = a->YRow,
            Narrow = a->Narrow == 1, XZero = zero, Factor = scale, Minimum = a->Minimum, Maximum = a->Maximum,
        };
        DenseInt8Core.Run<TPath>(&work, 0, DenseInt8Core.Tiles(m, a->N));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(float* x, long count, ref float minimum, ref float maximum)
    {
        Vector<float> low = new(minimum), high = new(maximum);
        long i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> v = Vector.Load(x + i);
            low = Vector.Min(low, v);
            high = Vector.Max(high, v);
        }
        for (var lane = 0; lane < Vector<float>.Count; lane++)
        {
            minimum = MathF.Min(minimum, low[lane]);
            maximum = MathF.Max(maximum, high[lane]);
        }
        for (; i < count; i++)
        {
            minimum = MathF.Min(minimum, x[i]);
            maximum = MathF.Max(maximum, x[i]);
        }
    }
}
