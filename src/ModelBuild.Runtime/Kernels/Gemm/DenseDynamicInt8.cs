using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>The dense layer on activations that are quantized as they come, by ONNX DynamicQuantizeLinear: one scale for the whole tensor, all rows of a batch
/// together.</summary>
internal static unsafe class DenseDynamicInt8
{
    public static Kernel Kernel { get; } = new(KernelIds.DenseDynamicInt8, nameof(DenseDynamicInt8), 6, 4, 2, Check, &Run);

    private static void Check(KernelCheck a)
    {
        long m = a.Size(0), k = a.Size(1), n = a.Size(2);
        a.Buffer(0, ModelElementType.Float, m, k);
        a.Buffer(1, ModelElementType.UInt8, m, k);
        DenseInt8.CheckWeights(a, 2);
        if (a.IsPresent(3)) a.Constant(3, Packings.Raw, sizeof(float), n);
        a.Constant(4, Packings.Raw, sizeof(float), n);
        a.Buffer(5, ModelElementType.Float, m, n);
    }

    private static void Run(KernelCall* call)
    {
        var x = (float*)call->Operands[0];
        var quantized = (byte*)call->Operands[1];
        long m = call->Integers[0], k = call->Integers[1];
        (var scale, var zero) = Parameters(x, m * k);
        QuantizeLinear.Run(x, quantized, m * k, scale, zero, byte.MinValue);
        DenseInt8Arguments a = new()
        {
            X = quantized, W = (byte*)call->Operands[2], FloatBias = (float*)call->Operands[3], Multiplier = (float*)call->Operands[4],
                FloatY = (float*)call->Operands[5],
            M = m, K = k, N = call->Integers[2], Narrow = call->Integers[3] == 1, XZero = zero, Factor = scale, Minimum = call->Floats[0],
                Maximum = call->Floats[1],
        };
        DenseInt8Core.Run(&a);
    }

    /// <summary>Scale and zero point for uint8: the range of the values and zero, in 255 steps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float Scale, int Zero) Parameters(float* x, long count)
    {
        Vector<float> low = default, high = default;
        long i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> v = Vector.Load(x + i);
            low = Vector.Min(low, v);
            high = Vector.Max(high, v);
        }
        float minimum = 0, maximum = 0;
        for (var lane = 0; lane < Vector<float>.Count; lane++)
        {
            minimum = MathF.Min(minimum, low[lane]);
            maximum = MathF.Max(maximum, high[lane]);
        }
        for (; i < count; i++)
        {
            minimum = MathF.Min(minimum, x[i]);
            maximum = MathF.Max(maximum, x[i]);
        }
        // All zeros: any scale gives zeros; ONNX Runtime takes 1.
        var scale = maximum == minimum ? 1 : (maximum - minimum) / 255;
        return (scale, (int)Math.Clamp(MathF.Round(-minimum / scale), 0, 255));
    }
}
