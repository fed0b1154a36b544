using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>Softmax over rows, or its logarithm.</summary>
internal unsafe struct SoftmaxArguments : IKernelArguments<SoftmaxArguments>
{
    public Operand X, Y;
    public Size Rows, Length;
    /// <summary>Elements from one row to the next; those of a row follow each other.</summary>
    public Size XRow, YRow;
    /// <summary>1 for LogSoftmax.</summary>
    public Size Logarithm;
    /// <summary>1: a row of -infinity alone, of which a mask has left nothing, becomes zeros instead of not-a-numbers.</summary>
    public Size Masked;

    public static Kernel<SoftmaxArguments> Kernel { get; } = new(KernelIds.Softmax, "Softmax",
        new("avx512", Vector512.IsHardwareAccelerated, &Softmax.Run<SoftmaxAvx512>), new("vector", true, &Softmax.Run<SoftmaxVector>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref Rows, nameof(Rows));
        visitor.Size(ref Length, nameof(Length));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref Logarithm, nameof(Logarithm));
        visitor.Size(ref Masked, nameof(Masked));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Y);
        check.Sizes(Rows, Length, XRow, YRow);
        check.InRange(Logarithm, 0, 1);
        check.InRange(Masked, 0, 1);
        if (Rows == 0) return;
        check.Reaches(X, checked((Rows - 1) * XRow + Length));
        check.Reaches(Y, checked((Rows - 1) * YRow + Length));
        check.Distinct((Rows, YRow), (Length, 1));
    }

    public readonly long Tiles => Length == 0 ? 0 : Rows;

    public readonly long Scratch => 0;

    public readonly double Work => 4.0 * Rows * Length;
}

/// <summary>One row of softmax. <c>side</c> has room for one vector.</summary>
internal unsafe interface ISoftmaxPath
{
    static abstract void Row(float* x, float* y, float* side, long length);
}

/// <summary>The row's largest value is taken off first, so that nothing overflows.</summary>
internal static unsafe class Softmax
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath>(SoftmaxArguments* a, long first, long last, byte* scratch) where TPath : ISoftmaxPath
    {
        if (a->Length <= ShortRow && a->Logarithm == 0 && a->Masked == 0)
        {
            RunShort(a, first, last);
            return;
        }
        var side = stackalloc float[16];
        for (; first < last; first++)
        {
            float* x = (float*)a->X + first * a->XRow, y = (float*)a->Y + first * a->YRow;
            if (a->Masked == 1 && !new ReadOnlySpan<float>(x, (int)a->Length).ContainsAnyExcept(float.NegativeInfinity))
                new Span<float>(y, (int)a->Length).Clear();
            else if (a->Logarithm == 1) LogarithmOfRow(x, y, a->Length);
            else TPath.Row(x, y, side, a->Length);
        }
    }

    // Rows of a few elements, as scores of two classes: a vector has one element of as many rows as it has lanes.
    private const int ShortRow = 8;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunShort(SoftmaxArguments* a, long first, long last)
    {
        var lanes = Vector<float>.Count;
        var side = stackalloc float[ShortRow * lanes];
        long length = a->Length, xRow = a->XRow, yRow = a->YRow;
        for (; first < last; first += lanes)
        {
            var rows = (int)Math.Min(lanes, last - first);
            float* x = (float*)a->X + first * xRow, y = (float*)a->Y + first * yRow;
            for (var r = 0; r < rows; r++)
                for (long i = 0; i < length; i++) side[i * lanes + r] = x[r * xRow + i];
            // Lanes without a row compute what nobody reads.
            for (var r = rows; r < lanes; r++)
                for (long i = 0; i < length; i++) side[i * lanes + r] = 0;
            Vector<float> most = Vector.Load(side), sum = default;
            for (long i = 1; i < length; i++) most = Vector.MaxNative(most, Vector.Load(side + i * lanes));
            for (long i = 0; i < length; i++)
            {
                Vector<float> e = VectorMath.Exp(Vector.Load(side + i * lanes) - most);
                e.Store(side + i * lanes);
                sum += e;
            }
            Vector<float> inverse = Vector<float>.One / sum;
            for (long i = 0; i < length; i++) (Vector.Load(side + i * lanes) * inverse).Store(side + i * lanes);
            for (var r = 0; r < rows; r++)
                for (long i = 0; i < length; i++) y[r * yRow + i] = side[i * lanes + r];
        }
    }

    // x - max - log(sum of exp(x - max)): the logarithm of a quotient would lose small ones.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LogarithmOfRow(float* x, float* y, long length)
    {
        var most = float.NegativeInfinity;
        for (long i = 0; i < length; i++) most = MathF.Max(most, x[i]);
        double sum = 0;
        for (long i = 0; i < length; i++) sum += Math.Exp(x[i] - most);
        var logarithm = (float)Math.Log(sum);
        for (long i = 0; i < length; i++) y[i] = x[i] - most - logarithm;
    }
}

/// <summary>With the vectors that the CPU has.</summary>
internal readonly unsafe struct SoftmaxVector : ISoftmaxPath
{
    // As SoftmaxAvx512, with the vectors that the CPU has.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* x, float* y, float* side, long length)
    {
        var lanes = Vector<float>.Count;
        var whole = length / lanes * lanes;
        Vector<float> rest = new(float.NegativeInfinity);
        if (whole < length)
        {
            rest.Store(side);
            Unsafe.CopyBlockUnaligned(side, x + whole, (uint)(length - whole) * sizeof(float));
            rest = Vector.Load(side);
        }
        // Not-a-numbers may get lost here; exp brings them back.
        Vector<float> most = rest;
        for (long i = 0; i < whole; i += lanes) most = Vector.MaxNative(most, Vector.Load(x + i));
        most.Store(side);
        var maximum = side[0];
        for (var i = 1; i < lanes; i++) maximum = MathF.Max(maximum, side[i]);

        Vector<float> shift = new(maximum), sum = default, other = default;
        long at = 0;
        for (; at <= whole - 2 * lanes; at += 2 * lanes)
        {
            Vector<float> e = VectorMath.Exp(Vector.Load(x + at) - shift), f = VectorMath.Exp(Vector.Load(x + at + lanes) - shift);
            e.Store(y + at);
            f.Store(y + at + lanes);
            sum += e;
            other += f;
        }
        if (at < whole)
        {
            Vector<float> e = VectorMath.Exp(Vector.Load(x + at) - shift);
            e.Store(y + at);
            sum += e;
        }
        if (whole < length)
        {
            rest = VectorMath.Exp(rest - shift);
            sum += rest;
        }
        Vector<float> inverse = new(1 / Vector.Sum(sum + other));
        for (long i = 0; i < whole; i += lanes) (Vector.Load(y + i) * inverse).Store(y + i);
        if (whole < length)
        {
            (rest * inverse).Store(side);
            Unsafe.CopyBlockUnaligned(y + whole, side, (uint)(length - whole) * sizeof(float));
        }
    }
}
