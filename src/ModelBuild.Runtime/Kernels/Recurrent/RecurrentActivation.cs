using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>The activations that the recurrent operators of ONNX know by name. The numbers are part of the artifact format.</summary>
internal enum RecurrentActivation
{
    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid = 0,
    /// <summary>tanh(x).</summary>
    Tanh = 1,
    /// <summary>max(x, 0).</summary>
    Relu = 2,
    /// <summary>alpha x + beta, clamped to 0 .. 1.</summary>
    HardSigmoid = 3,
    /// <summary>x, or alpha x below zero.</summary>
    LeakyRelu = 4,
    /// <summary>alpha x + beta.</summary>
    Affine = 5,
    /// <summary>alpha tanh(beta x).</summary>
    ScaledTanh = 6,
    /// <summary>x, or alpha (exp(x) - 1) below zero.</summary>
    Elu = 7,
    /// <summary>x / (1 + |x|).</summary>
    Softsign = 8,
    /// <summary>x where it is more than alpha, else 0.</summary>
    ThresholdedRelu = 9,
}

/// <summary>One activation with its parameters.</summary>
internal readonly struct RecurrentFunction(long kind, float alpha, float beta)
{
    public readonly RecurrentActivation Kind = (RecurrentActivation)kind;
    public readonly float Alpha = alpha;
    public readonly float Beta = beta;
}

/// <summary>The functions of gates and cells. Not a number stays one.</summary>
internal static class RecurrentMath<TFloats, TVector> where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
{
    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of a float.
    private const float Rounder = 12582912f;

    /// <summary>As <see cref="VectorMath.Exp"/>, for x up to 88.02 only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ExpOfSmall(TVector x)
    {
        x = TFloats.Max(TFloats.Broadcast(-87.33f), x);
        TVector t = TFloats.MultiplyAdd(x, TFloats.Broadcast(1.44269504f), TFloats.Broadcast(Rounder));
        TVector n = TFloats.Subtract(t, TFloats.Broadcast(Rounder));
        TVector r = TFloats.MultiplyAdd(n, TFloats.Broadcast(-0.693359375f), x);
        r = TFloats.MultiplyAdd(n, TFloats.Broadcast(2.12194440e-4f), r);
        TVector q = TFloats.Broadcast(0.008312502845439608f);
        q = TFloats.MultiplyAdd(q, r, TFloats.Broadcast(0.041890332504095414f));
        q = TFloats.MultiplyAdd(q, r, TFloats.Broadcast(0.16667115376792754f));
        q = TFloats.MultiplyAdd(q, r, TFloats.Broadcast(0.4999923029703765f));
        TVector p = TFloats.Add(TFloats.MultiplyAdd(TFloats.Multiply(q, r), r, r), TFloats.Broadcast(1));
        return TFloats.Multiply(p, TFloats.PowerOfTwo(t));
    }

    /// <summary>1 / (1 + exp(-x)), absolute error under 2e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sigmoid(TVector x)
    {
        TVector one = TFloats.Broadcast(1);
        TVector negative = TFloats.Min(TFloats.Broadcast(88), TFloats.Subtract(TFloats.Broadcast(0), x));
        return TFloats.Divide(one, TFloats.Add(one, ExpOfSmall(negative)));
    }

    /// <summary>tanh(x), relative error under 5e-7: an odd polynomial below 0.625, 1 - 2 / (exp(2|x|) + 1) above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh(TVector x)
    {
        TVector size = TFloats.Abs(x), u = TFloats.Multiply(x, x);
        TVector p = TFloats.Broadcast(-0.005717036185062218f);
        p = TFloats.MultiplyAdd(p, u, TFloats.Broadcast(0.020650578641307944f));
        p = TFloats.MultiplyAdd(p, u, TFloats.Broadcast(-0.05374349514387352f));
        p = TFloats.MultiplyAdd(p, u, TFloats.Broadcast(0.13331491247115015f));
        p = TFloats.MultiplyAdd(p, u, TFloats.Broadcast(-0.33333283923552254f));
        TVector small = TFloats.MultiplyAdd(TFloats.Multiply(p, u), x, x);
        // From 10 on the result is 1.
        TVector e = ExpOfSmall(TFloats.Min(TFloats.Broadcast(20), TFloats.Add(size, size)));
        TVector large = TFloats.Subtract(TFloats.Broadcast(1), TFloats.Divide(TFloats.Broadcast(2), TFloats.Add(e, TFloats.Broadcast(1))));
        return TFloats.WhereLess(size, TFloats.Broadcast(0.625f), small, TFloats.CopySign(large, x));
    }

    /// <summary>Any activation: for models that do not use the usual ones.</summary>
    public static TVector Apply(RecurrentFunction f, TVector x)
    {
        TVector zero = TFloats.Broadcast(0), one = TFloats.Broadcast(1), alpha = TFloats.Broadcast(f.Alpha), beta = TFloats.Broadcast(f.Beta);
        return f.Kind switch
        {
            RecurrentActivation.Sigmoid => Sigmoid(x),
            RecurrentActivation.Tanh => Tanh(x),
            RecurrentActivation.Relu => TFloats.Max(zero, x),
            RecurrentActivation.HardSigmoid => TFloats.Min(one, TFloats.Max(zero, TFloats.MultiplyAdd(alpha, x, beta))),
            RecurrentActivation.LeakyRelu => TFloats.WhereLess(x, zero, TFloats.Multiply(alpha, x), x),
            RecurrentActivation.Affine => TFloats.MultiplyAdd(alpha, x, beta),
            RecurrentActivation.ScaledTanh => TFloats.Multiply(alpha, Tanh(TFloats.Multiply(beta, x))),
            RecurrentActivation.Elu => TFloats.WhereLess(x, zero,
                TFloats.Multiply(alpha, TFloats.Subtract(ExpOfSmall(TFloats.Min(zero, x)), one)), x),
            RecurrentActivation.Softsign => TFloats.Divide(x, TFloats.Add(one, TFloats.Abs(x))),
            _ => TFloats.WhereLess(alpha, x, x, zero),
        };
    }

    /// <summary>x within -limit .. limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Clip(TVector x, TVector limit) =>
        TFloats.Min(limit, TFloats.Max(TFloats.Subtract(TFloats.Broadcast(0), limit), x));
}
