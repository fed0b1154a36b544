using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>A function of one float, with up to two parameters.</summary>
internal interface IUnaryOperation
{
    static abstract Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta);
}

internal readonly struct SigmoidOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) => VectorMath.Sigmoid(x);
}

internal readonly struct TanhOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) => VectorMath.Tanh(x);
}

internal readonly struct ExpOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.ConditionalSelect(Vector.GreaterThan(x, new Vector<float>(88.02f)), new Vector<float>(float.PositiveInfinity), VectorMath.Exp(x));
}

internal readonly struct NegateOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) => -x;
}

internal readonly struct AbsOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) => Vector.Abs(x);
}

internal readonly struct SqrtOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) => Vector.SquareRoot(x);
}

internal readonly struct ReciprocalOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) => Vector<float>.One / x;
}

internal readonly struct LeakyReluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), x * alpha, x);
}

internal readonly struct EluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), alpha * (VectorMath.Exp(x) - Vector<float>.One), x);
}

internal readonly struct HardSigmoidOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.Min(Vector.Max(x * alpha + beta, Vector<float>.Zero), Vector<float>.One);
}

internal readonly struct HardSwishOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        x * Vector.Min(Vector.Max(x * new Vector<float>(1f / 6) + new Vector<float>(0.5f), Vector<float>.Zero), Vector<float>.One);
}

internal readonly struct SiluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) => x * VectorMath.Sigmoid(x);
}

internal readonly struct ErfOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) => VectorMath.Erf(x);
}

internal readonly struct GeluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        x * new Vector<float>(0.5f) * (Vector<float>.One + VectorMath.Erf(x * new Vector<float>(0.70710678f)));
}

internal readonly struct ClampOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.Min(Vector.Max(x, alpha), beta);
}

internal readonly struct LinearOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.MultiplyAddEstimate(x, alpha, beta);
}

internal readonly struct GeluTanhOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        x * new Vector<float>(0.5f) * (Vector<float>.One + VectorMath.Tanh(x * (new Vector<float>(0.79788456f) + x * x * new Vector<float>(0.035677408f))));
}

internal readonly struct SwishOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        x * VectorMath.Sigmoid(alpha * x);
}

internal readonly struct ThresholdedReluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.ConditionalSelect(Vector.GreaterThan(x, alpha), x, Vector<float>.Zero);
}

internal readonly struct SoftsignOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        x / (Vector<float>.One + Vector.Abs(x));
}

internal readonly struct SeluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        beta * Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), x, alpha * (VectorMath.Exp(x) - Vector<float>.One));
}

internal readonly struct CeluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), alpha * (VectorMath.Exp(x / alpha) - Vector<float>.One), x);
}

internal readonly struct SignOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), Vector<float>.One,
            Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), -Vector<float>.One, Vector<float>.Zero));
}

internal readonly struct FloorOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.Floor(x);
}

internal readonly struct CeilingOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.Ceiling(x);
}

internal readonly struct RoundOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.Round(x);
}

internal readonly struct ShrinkOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> x, Vector<float> alpha, Vector<float> beta) =>
        Vector.ConditionalSelect(Vector.LessThan(x, -alpha), x + beta,
            Vector.ConditionalSelect(Vector.GreaterThan(x, alpha), x - beta, Vector<float>.Zero));
}
