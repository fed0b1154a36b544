using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>An operation of two floats, for vectors and for the ends of rows.</summary>
internal interface IBinaryOperation
{
    static abstract Vector<float> Apply(Vector<float> a, Vector<float> b);

    static abstract float Apply(float a, float b);
}

internal readonly struct AddOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> a, Vector<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Apply(float a, float b) => a + b;
}

internal readonly struct SubtractOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> a, Vector<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Apply(float a, float b) => a - b;
}

internal readonly struct MultiplyOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> a, Vector<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Apply(float a, float b) => a * b;
}

internal readonly struct DivideOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> a, Vector<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Apply(float a, float b) => a / b;
}

internal readonly struct MinimumOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> a, Vector<float> b) => Vector.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Apply(float a, float b) => MathF.Min(a, b);
}

internal readonly struct MaximumOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> a, Vector<float> b) => Vector.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Apply(float a, float b) => MathF.Max(a, b);
}

internal readonly struct PReluOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Apply(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.LessThan(a, Vector<float>.Zero), a * b, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Apply(float a, float b) => a < 0 ? a * b : a;
}
