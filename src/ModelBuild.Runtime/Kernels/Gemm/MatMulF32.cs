using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// Products of two activations: y[i] = clamp(scale a[i] b[i]) for each matrix i of a batch of two levels, [Outer, Inner]. Each matrix is [M,K] by [K,N].
/// </summary>
internal unsafe struct MatMulF32Arguments : IKernelArguments<MatMulF32Arguments>
{
    public Operand A, B, Y;
    public Size Outer, Inner, M, K, N;
    /// <summary>Elements from one matrix to the next; 0 where it is the same for all.</summary>
    public Size AOuter, AInner, BOuter, BInner, YOuter, YInner;
    /// <summary>Elements from one row to the next; columns of a and y follow each other.</summary>
    public Size ARow, YRow;
    /// <summary>Elements from one row or column of b to the next: any, so that a transposed b is read as it is.</summary>
    public Size BRow, BColumn;
    /// <summary>Multiplies the products.</summary>
    public float Scale;

    public static Kernel<MatMulF32Arguments> Kernel { get; } = new(KernelIds.MatMulF32, "MatMulF32",
        new("avx512", Vector512.IsHardwareAccelerated, &MatMulF32.Run<DenseF32Avx512>), new("avx2", Fma.IsSupported, &MatMulF32.Run<DenseF32Avx2>),
        new("vector128", true, &MatMulF32.Run<DenseF32Vector128>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref A, nameof(A), ModelElementType.Float);
        visitor.Input(ref B, nameof(B), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref Outer, nameof(Outer));
        visitor.Size(ref Inner, nameof(Inner));
        visitor.Size(ref M, nameof(M));
        visitor.Size(ref K, nameof(K));
        visitor.Size(ref N, nameof(N));
        visitor.Size(ref AOuter, nameof(AOuter));
        visitor.Size(ref AInner, nameof(AInner));
        visitor.Size(ref BOuter, nameof(BOuter));
        visitor.Size(ref BInner, nameof(BInner));
        visitor.Size(ref YOuter, nameof(YOuter));
        visitor.Size(ref YInner, nameof(YInner));
        visitor.Size(ref ARow, nameof(ARow));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref BRow, nameof(BRow));
        visitor.Size(ref BColumn, nameof(BColumn));
        visitor.Number(ref Scale, nameof(Scale));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(A, B, Y);
        check.Sizes(Outer, Inner, M, K, N, AOuter, AInner, BOuter, BInner, YOuter, YInner, ARow, YRow, BRow, BColumn);
        if (Outer * Inner * M * N == 0) return;
        check.Reaches(A, checked((Outer - 1) * AOuter + (Inner - 1) * AInner + (M - 1) * ARow + K));
        check.Reaches(B, K == 0 ? 0 : checked((Outer - 1) * BOuter + (Inner - 1) * BInner + (K - 1) * BRow + (N - 1) * BColumn + 1));
        check.Reaches(Y, checked((Outer - 1) * YOuter + (Inner - 1) * YInner + (M - 1) * YRow + N));
        check.Distinct((Outer, YOuter), (Inner, YInner), (M, YRow), (N, 1));
        if (DenseF32Packing.Length(K, N) > int.MaxValue / sizeof(float)) throw check.Damaged("a matrix is too large");
    }

    public readonly long Tiles => Outer * Inner;

    /// <summary>One matrix b, packed as weights are.</summary>
    public readonly long Scratch => checked(DenseF32Packing.Length(K, N) * sizeof(float));

    public readonly double Work => (double)Outer * Inner * M * K * N;
}

/// <summary>Products of two activations: b is packed into scratch memory, then multiplied as weights are. Packing costs K * N, the product M * K * N.</summary>
internal static unsafe class MatMulF32
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath>(MatMulF32Arguments* a, long first, long last, byte* scratch) where TPath : IDenseF32Path
    {
        var packed = (float*)scratch;
        float* from = null;
        for (; first < last; first++)
        {
            var (outer, inner) = (first / a->Inner, first % a->Inner);
            var b = (float*)a->B + outer * a->BOuter + inner * a->BInner;
            if (b != from) Pack(b, packed, a);
            from = b;
            DenseF32Arguments product = new()
            {
                X = Operand.At((float*)a->A + outer * a->AOuter + inner * a->AInner), W = Operand.At(packed),
                Y = Operand.At((float*)a->Y + outer * a->YOuter + inner * a->YInner),
                M = a->M, K = a->K, N = a->N, XRow = a->ARow, YRow = a->YRow, Minimum = float.NegativeInfinity, Maximum = float.PositiveInfinity,
            };
            DenseF32.Run<TPath>(&product, 0, product.Tiles, null);
        }
    }

    // The scale goes into b: K * N products instead of M * N, and the same for all paths.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pack(float* b, float* packed, MatMulF32Arguments* a)
    {
        long k = a->K, n = a->N, bRow = a->BRow, bColumn = a->BColumn;
        var scale = a->Scale;
        for (long column = 0; column < n; column += Panels.Wide)
        {
            var width = Panels.WidthAt(column, n);
            var filled = Math.Min(width, n - column);
            if (bColumn == 1 && filled == width && scale == 1)
                for (long row = 0; row < k; row++, packed += width)
                    Unsafe.CopyBlockUnaligned(packed, b + row * bRow + column, (uint)width * sizeof(float));
            else
            {
                for (long c = 0; c < filled; c++)
                {
                    var source = b + (column + c) * bColumn;
                    for (long row = 0; row < k; row++) packed[row * width + c] = source[row * bRow] * scale;
                }
                for (var c = filled; c < width; c++)
                    for (long row = 0; row < k; row++) packed[row * width + c] = 0;
                packed += k * width;
            }
        }
    }
}
