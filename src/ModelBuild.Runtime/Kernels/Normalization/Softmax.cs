using System.Numerics;
using System.Runtime.CompilerServices;

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

    private static void Run(KernelCall* call)
    {
        float* x = (float*)call->Operands[0], y = (float*)call->Operands[1];
        long rows = call->Integers[0], length = call->Integers[1];
        if (length == 0) return;
        for (long r = 0; r < rows; r++, x += length, y += length) Row(x, y, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(float* x, float* y, long length)
    {
        int lanes = Vector<float>.Count;
        long whole = length / lanes * lanes;
        // The end of a row that is no whole vector goes through this one; its unused lanes are -infinity, which count for nothing.
        float* rest = stackalloc float[lanes];
        for (int i = 0; i < lanes; i++) rest[i] = whole + i < length ? x[whole + i] : float.NegativeInfinity;

        Vector<float> most = Vector.Load(rest);
        for (long i = 0; i < whole; i += lanes) most = Vector.Max(most, Vector.Load(x + i));
        float maximum = most[0];
        for (int i = 1; i < lanes; i++) maximum = MathF.Max(maximum, most[i]);

        // Two sums hide the latency of the addition.
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
        for (; at < whole; at += lanes)
        {
            Vector<float> e = VectorMath.Exp(Vector.Load(x + at) - shift);
            e.Store(y + at);
            sum += e;
        }
        VectorMath.Exp(Vector.Load(rest) - shift).Store(rest);
        float total = Vector.Sum(sum + other);
        for (long i = whole; i < length; i++) total += rest[i - whole];

        float inverse = 1 / total;
        for (long i = 0; i < whole; i += lanes) (Vector.Load(y + i) * new Vector<float>(inverse)).Store(y + i);
        for (long i = whole; i < length; i++) y[i] = rest[i - whole] * inverse;
    }
}
