using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>A function of two integers of any type, one by one: what shapes and indices need.</summary>
internal interface IIntegerFunction
{
    static abstract T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T>;
}

/// <summary>A function of two floats that has no vector form here.</summary>
internal interface IFloatFunction
{
    static abstract float Apply(float a, float b);
}

internal readonly struct AddFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a + b;
}

internal readonly struct SubtractFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a - b;
}

internal readonly struct MultiplyFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a * b;
}

internal readonly struct DivideFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> =>
        // The smallest number divided by -1 does not fit: negation wraps, division would throw.
        b == T.Zero ? T.Zero : T.IsNegative(b) && b == -T.One ? -a : a / b;
}

internal readonly struct MinimumFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a < b ? a : b;
}

internal readonly struct MaximumFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a > b ? a : b;
}

internal readonly struct ModuloFunction : IIntegerFunction, IFloatFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T>
    {
        var rest = RemainderFunction.Apply(a, b);
        return rest != T.Zero && T.IsNegative(rest) != T.IsNegative(b) ? rest + b : rest;
    }

    public static float Apply(float a, float b)
    {
        var rest = a % b;
        return rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
    }
}

internal readonly struct RemainderFunction : IIntegerFunction, IFloatFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => b == T.Zero || T.IsNegative(b) && b == -T.One ? T.Zero : a % b;

    public static float Apply(float a, float b) => a % b;
}

internal readonly struct PowerFunction : IFloatFunction
{
    public static float Apply(float a, float b) => b == 2 ? a * a : MathF.Pow(a, b);
}

internal readonly struct PReluFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => T.IsNegative(a) ? a * b : a;
}

internal readonly struct AndFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a & b;
}

internal readonly struct OrFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a | b;
}

internal readonly struct XorFunction : IIntegerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a ^ b;
}
