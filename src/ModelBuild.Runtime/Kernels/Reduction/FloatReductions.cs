using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>A reduction of floats: how an element joins a partial result, and how partial results join.</summary>
internal interface IFloatReduction
{
    /// <summary>The result of no elements.</summary>
    static abstract float Start { get; }

    static abstract Vector<float> Add(Vector<float> sum, Vector<float> x);

    static abstract float Add(float sum, float x);

    static abstract Vector<float> Join(Vector<float> a, Vector<float> b);

    static abstract float Join(float a, float b);
}

internal readonly struct SumReduction : IFloatReduction
{
    public static float Start => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> sum, Vector<float> x) => sum + x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float sum, float x) => sum + x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Join(Vector<float> a, Vector<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Join(float a, float b) => a + b;
}

internal readonly struct SquareReduction : IFloatReduction
{
    public static float Start => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> sum, Vector<float> x) => Vector.MultiplyAddEstimate(x, x, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float sum, float x) => float.MultiplyAddEstimate(x, x, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Join(Vector<float> a, Vector<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Join(float a, float b) => a + b;
}

internal readonly struct AbsoluteReduction : IFloatReduction
{
    public static float Start => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> sum, Vector<float> x) => sum + Vector.Abs(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float sum, float x) => sum + MathF.Abs(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Join(Vector<float> a, Vector<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Join(float a, float b) => a + b;
}

internal readonly struct ProductReduction : IFloatReduction
{
    public static float Start => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> sum, Vector<float> x) => sum * x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float sum, float x) => sum * x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Join(Vector<float> a, Vector<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Join(float a, float b) => a * b;
}

internal readonly struct MaximumReduction : IFloatReduction
{
    public static float Start => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> sum, Vector<float> x) => Vector.Max(sum, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float sum, float x) => MathF.Max(sum, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Join(Vector<float> a, Vector<float> b) => Vector.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Join(float a, float b) => MathF.Max(a, b);
}

internal readonly struct MinimumReduction : IFloatReduction
{
    public static float Start => float.PositiveInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> sum, Vector<float> x) => Vector.Min(sum, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float sum, float x) => MathF.Min(sum, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Join(Vector<float> a, Vector<float> b) => Vector.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Join(float a, float b) => MathF.Min(a, b);
}
