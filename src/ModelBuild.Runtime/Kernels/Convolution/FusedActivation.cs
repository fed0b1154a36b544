using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>
/// What a convolution applies to its sums: 0 for none, or 1 + a <see cref="UnaryOperation"/>. Sums are stored first and read again while they are in the first
/// cache, so that one kernel serves all functions; the limits of the record apply after the function.
/// </summary>
internal static unsafe class FusedActivation
{
    public const long None = 0;

    /// <summary>The greatest value that the argument may have.</summary>
    public const long Last = 1 + (long)UnaryOperation.Gelu;

    /// <summary>The value of the argument for a function.</summary>
    public static long Of(UnaryOperation operation) => 1 + (long)operation;

    /// <summary>The code for a value of the argument; null for none.</summary>
    public static delegate*<float*, long, in ActivationParameters, void> Select(long activation) => activation == None ? null
        : (UnaryOperation)(activation - 1) switch
    {
        UnaryOperation.Sigmoid => &Run<SigmoidOperation>,
        UnaryOperation.Tanh => &Run<TanhOperation>,
        UnaryOperation.Exp => &Run<ExpOperation>,
        UnaryOperation.Negate => &Run<NegateOperation>,
        UnaryOperation.Abs => &Run<AbsOperation>,
        UnaryOperation.Sqrt => &Run<SqrtOperation>,
        UnaryOperation.Reciprocal => &Run<ReciprocalOperation>,
        UnaryOperation.LeakyRelu => &Run<LeakyReluOperation>,
        UnaryOperation.Elu => &Run<EluOperation>,
        UnaryOperation.HardSigmoid => &Run<HardSigmoidOperation>,
        UnaryOperation.HardSwish => &Run<HardSwishOperation>,
        UnaryOperation.Silu => &Run<SiluOperation>,
        UnaryOperation.Erf => &Run<ErfOperation>,
        _ => &Run<GeluOperation>,
    };

    // In place, on one pixel's channels. What lies behind them may be another worker's: it is read, never written.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(float* y, long count, in ActivationParameters parameters) where T : struct, IUnaryOperation
    {
        Vector<float> alpha = new(parameters.Alpha), beta = new(parameters.Beta), low = new(parameters.Minimum), high = new(parameters.Maximum);
        long i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.MinNative(high, Vector.MaxNative(low, T.Apply(Vector.Load(y + i), alpha, beta))).Store(y + i);
        if (i == count) return;
        Vector<float> last = Vector.MinNative(high, Vector.MaxNative(low, T.Apply(Vector.Load(y + i), alpha, beta)));
        Unsafe.CopyBlockUnaligned(y + i, &last, (uint)(count - i) * sizeof(float));
    }
}

/// <summary>The numbers that go with a <see cref="FusedActivation"/>.</summary>
internal readonly record struct ActivationParameters(float Alpha, float Beta, float Minimum, float Maximum);
