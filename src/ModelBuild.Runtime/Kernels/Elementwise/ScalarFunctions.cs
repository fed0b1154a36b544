namespace ModelBuild.Kernels;

/// <summary>A function of one float that has no vector form here.</summary>
internal interface IScalarFunction
{
    static abstract float Apply(float x);
}

internal readonly struct LogFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Log(x);
}

internal readonly struct SinFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Sin(x);
}

internal readonly struct CosFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Cos(x);
}

internal readonly struct TanFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Tan(x);
}

internal readonly struct AsinFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Asin(x);
}

internal readonly struct AcosFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Acos(x);
}

internal readonly struct AtanFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Atan(x);
}

internal readonly struct SinhFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Sinh(x);
}

internal readonly struct CoshFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Cosh(x);
}

internal readonly struct AsinhFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Asinh(x);
}

internal readonly struct AcoshFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Acosh(x);
}

internal readonly struct AtanhFunction : IScalarFunction
{
    public static float Apply(float x) => MathF.Atanh(x);
}

internal readonly struct SoftplusFunction : IScalarFunction
{
    // Exact on both sides: exp of a large number overflows, and 1 + exp of a small one loses it.
    public static float Apply(float x) => x > 0 ? x + (float)double.LogP1(Math.Exp(-x)) : (float)double.LogP1(Math.Exp(x));
}

internal readonly struct MishFunction : IScalarFunction
{
    public static float Apply(float x) => x * MathF.Tanh(SoftplusFunction.Apply(x));
}
