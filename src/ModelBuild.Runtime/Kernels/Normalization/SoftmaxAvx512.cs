using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>One row of softmax with 512-bit vectors. The end of a row that is no whole vector goes through a vector on the side, whose unused lanes are
/// -infinity.</summary>
internal readonly unsafe struct SoftmaxAvx512 : ISoftmaxPath
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* x, float* y, float* side, long length)
    {
        var whole = length & ~15;
        Vector512<float> rest = Vector512.Create(float.NegativeInfinity);
        if (whole < length)
        {
            rest.Store(side);
            Unsafe.CopyBlockUnaligned(side, x + whole, (uint)(length - whole) * sizeof(float));
            rest = Vector512.Load(side);
        }
        // Not-a-numbers may get lost here; exp brings them back.
        Vector512<float> most = rest, second = rest;
        long next = 0;
        for (; next <= whole - 32; next += 32)
        {
            most = Vector512.MaxNative(most, Vector512.Load(x + next));
            second = Vector512.MaxNative(second, Vector512.Load(x + next + 16));
        }
        if (next < whole) most = Vector512.MaxNative(most, Vector512.Load(x + next));
        most = Vector512.MaxNative(most, second);
        Vector256<float> half = Vector256.Max(most.GetLower(), most.GetUpper());
        Vector128<float> quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        var maximum = MathF.Max(MathF.Max(quarter.GetElement(0), quarter.GetElement(1)), MathF.Max(quarter.GetElement(2), quarter.GetElement(3)));

        // Two sums and two polynomials at a time hide latencies.
        Vector512<float> shift = Vector512.Create(maximum), sum = default, other = default;
        long at = 0;
        for (; at <= whole - 32; at += 32)
        {
            Vector512<float> e = VectorMath.ExpOfSmall(Vector512.Load(x + at) - shift), f = VectorMath.ExpOfSmall(Vector512.Load(x + at + 16) - shift);
            e.Store(y + at);
            f.Store(y + at + 16);
            sum += e;
            other += f;
        }
        if (at < whole)
        {
            Vector512<float> e = VectorMath.ExpOfSmall(Vector512.Load(x + at) - shift);
            e.Store(y + at);
            sum += e;
        }
        if (whole < length)
        {
            // exp(-infinity) comes out as 2^-126 in the unused lanes, which vanishes in a sum of at least 1.
            rest = VectorMath.ExpOfSmall(rest - shift);
            sum += rest;
        }
        Vector512<float> inverse = Vector512.Create(1 / Vector512.Sum(sum + other));
        for (long i = 0; i < whole; i += 16) (Vector512.Load(y + i) * inverse).Store(y + i);
        if (whole < length)
        {
            (rest * inverse).Store(side);
            Unsafe.CopyBlockUnaligned(y + whole, side, (uint)(length - whole) * sizeof(float));
        }
    }
}
