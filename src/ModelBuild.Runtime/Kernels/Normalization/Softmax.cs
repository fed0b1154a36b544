using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>Softmax over rows: the row's largest value is taken off first, so that nothing overflows.</summary>
internal static unsafe class Softmax
{
    public static Kernel Kernel { get; } = new(KernelIds.Softmax, nameof(Softmax), 2, 2, 0, Check, &Run);

    private static void Check(KernelCheck a)
    {
        a.Buffer(0, ModelElementType.Float, a.Size(0), a.Size(1));
        a.Buffer(1, ModelElementType.Float, a.Size(0), a.Size(1));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(KernelCall* call)
    {
        float* x = (float*)call->Operands[0], y = (float*)call->Operands[1];
        long rows = call->Integers[0], length = call->Integers[1];
        if (length == 0) return;
        var side = stackalloc float[16];
        for (long r = 0; r < rows; r++, x += length, y += length)
        {
            if (Vector512.IsHardwareAccelerated) SoftmaxAvx512.Row(x, y, side, length);
            else Row(x, y, side, length);
        }
    }

    // As SoftmaxAvx512, with the vectors that the CPU has.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(float* x, float* y, float* side, long length)
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
