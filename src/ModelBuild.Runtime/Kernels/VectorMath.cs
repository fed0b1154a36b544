using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>Elementary functions of float vectors. Polynomials are minimax fits made for this project; errors are bounds against exact values.</summary>
internal static class VectorMath
{
    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of a float.
    private const float Rounder = 12582912f;

    /// <summary>
    /// exp(x), relative error under 3e-7. With n = round(x / ln 2) and r = x - n ln 2: exp(x) = 2^n (1 + r + r² q(r)). Results below 2^-126 are
    /// 2^-126 or so, and results above 2^127 are 1.7e38. Not a number stays one: the native minimum and maximum give their second operand then.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x)
    {
        x = Vector.MinNative(new Vector<float>(88.02f), Vector.MaxNative(new Vector<float>(-87.33f), x));
        Vector<float> t = Vector.MultiplyAddEstimate(x, new Vector<float>(1.44269504f), new Vector<float>(Rounder));
        Vector<float> n = t - new Vector<float>(Rounder);
        // ln 2 in two parts, the first with few bits, so that n times it is exact.
        Vector<float> r = Vector.MultiplyAddEstimate(n, new Vector<float>(-0.693359375f), x);
        r = Vector.MultiplyAddEstimate(n, new Vector<float>(2.12194440e-4f), r);
        Vector<float> q = new(0.008312502845439608f);
        q = Vector.MultiplyAddEstimate(q, r, new Vector<float>(0.041890332504095414f));
        q = Vector.MultiplyAddEstimate(q, r, new Vector<float>(0.16667115376792754f));
        q = Vector.MultiplyAddEstimate(q, r, new Vector<float>(0.4999923029703765f));
        Vector<float> p = Vector.MultiplyAddEstimate(q * r, r, r) + Vector<float>.One;
        // The low bits of t are n: shifted into the exponent, plus the exponent's bias.
        Vector<int> power = Vector.ShiftLeft(Vector.AsVectorInt32(t), 23) + new Vector<int>(127 << 23);
        return p * Vector.AsVectorSingle(power);
    }

    /// <summary>As <see cref="Exp(Vector{float})"/>, for x up to 88.02 only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ExpOfSmall(Vector512<float> x)
    {
        x = Vector512.MaxNative(Vector512.Create(-87.33f), x);
        Vector512<float> t = Vector512.MultiplyAddEstimate(x, Vector512.Create(1.44269504f), Vector512.Create(Rounder));
        Vector512<float> n = t - Vector512.Create(Rounder);
        Vector512<float> r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(2.12194440e-4f), r);
        Vector512<float> q = Vector512.Create(0.008312502845439608f);
        q = Vector512.MultiplyAddEstimate(q, r, Vector512.Create(0.041890332504095414f));
        q = Vector512.MultiplyAddEstimate(q, r, Vector512.Create(0.16667115376792754f));
        q = Vector512.MultiplyAddEstimate(q, r, Vector512.Create(0.4999923029703765f));
        Vector512<float> p = Vector512.MultiplyAddEstimate(q * r, r, r) + Vector512<float>.One;
        return p * ((t.AsInt32() << 23) + Vector512.Create(127 << 23)).AsSingle();
    }

    /// <summary>1 / (1 + exp(-x)), absolute error under 2e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Sigmoid(Vector<float> x) => Vector<float>.One / (Vector<float>.One + Exp(-x));

    /// <summary>tanh(x), relative error under 5e-7: an odd polynomial below 0.625, 1 - 2 / (exp(2|x|) + 1) above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Tanh(Vector<float> x)
    {
        Vector<float> size = Vector.Abs(x), u = x * x;
        Vector<float> p = new(-0.005717036185062218f);
        p = Vector.MultiplyAddEstimate(p, u, new Vector<float>(0.020650578641307944f));
        p = Vector.MultiplyAddEstimate(p, u, new Vector<float>(-0.05374349514387352f));
        p = Vector.MultiplyAddEstimate(p, u, new Vector<float>(0.13331491247115015f));
        p = Vector.MultiplyAddEstimate(p, u, new Vector<float>(-0.33333283923552254f));
        Vector<float> small = Vector.MultiplyAddEstimate(p * u, x, x);
        Vector<float> large = Vector<float>.One - new Vector<float>(2) / (Exp(size + size) + Vector<float>.One);
        return Vector.ConditionalSelect(Vector.LessThan(size, new Vector<float>(0.625f)), small, Vector.CopySign(large, x));
    }

    /// <summary>erf(x), absolute error under 3e-7: Abramowitz and Stegun, formula 7.1.26.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Erf(Vector<float> x)
    {
        Vector<float> size = Vector.Abs(x);
        Vector<float> t = Vector<float>.One / Vector.MultiplyAddEstimate(size, new Vector<float>(0.3275911f), Vector<float>.One);
        Vector<float> p = new(1.061405429f);
        p = Vector.MultiplyAddEstimate(p, t, new Vector<float>(-1.453152027f));
        p = Vector.MultiplyAddEstimate(p, t, new Vector<float>(1.421413741f));
        p = Vector.MultiplyAddEstimate(p, t, new Vector<float>(-0.284496736f));
        p = Vector.MultiplyAddEstimate(p, t, new Vector<float>(0.254829592f));
        return Vector.CopySign(Vector<float>.One - p * t * Exp(-(size * size)), x);
    }
}
