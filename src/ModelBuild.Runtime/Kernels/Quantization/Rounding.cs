using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>Rounds half to even, as ONNX asks.</summary>
internal static class Rounding
{
    // Adding and taking off 1.5 * 2^23 rounds to the nearest integer, ties to even, on every CPU; exact below 2^22, and limits are far below.
    private const float Rounder = 12582912f;

    /// <summary>The nearest integers, after clamping. Not a number becomes the lower limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ToInt32(Vector256<float> x, Vector256<float> low, Vector256<float> high)
    {
        // Written as comparisons, so that every path agrees on not-a-number.
        x = Vector256.ConditionalSelect(Vector256.GreaterThan(x, low), x, low);
        x = Vector256.ConditionalSelect(Vector256.LessThan(x, high), x, high);
        return (x + Vector256.Create(Rounder)).AsInt32() - Vector256.Create(Rounder).AsInt32();
    }

    /// <summary>The nearest integer, after clamping. Not a number becomes the lower limit.</summary>
    public static int ToInt32(float x, float low, float high)
    {
        x = x > low ? x : low;
        return (int)MathF.Round(x < high ? x : high);
    }

    /// <summary>The low bytes of 16 integers, in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LowBytes(Vector256<int> first, Vector256<int> second)
    {
        Vector256<short> words = Vector256.Narrow(first, second);
        return Vector128.Narrow(words.GetLower(), words.GetUpper()).AsByte();
    }
}
