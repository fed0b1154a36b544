using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>ONNX QuantizeLinear with one scale: a division, not a product with the reciprocal, which rounds otherwise. Whole vectors only: every activation is
/// padded to whole vectors.</summary>
internal static unsafe class QuantizeLinear
{
    public static Kernel Kernel { get; } = new(KernelIds.QuantizeLinear, nameof(QuantizeLinear), 2, 3, 1, Check, &Run);

    private static void Check(KernelCheck a)
    {
        var signed = a.InRange(2, 0, 1) == 1;
        a.Buffer(0, ModelElementType.Float, a.Size(0));
        a.Buffer(1, signed ? ModelElementType.Int8 : ModelElementType.UInt8, a.Size(0));
        a.InRange(1, signed ? sbyte.MinValue : byte.MinValue, signed ? sbyte.MaxValue : byte.MaxValue);
    }

    private static void Run(KernelCall* call)
    {
        int zero = (int)call->Integers[1], lowest = call->Integers[2] == 1 ? sbyte.MinValue : byte.MinValue;
        Run((float*)call->Operands[0], (byte*)call->Operands[1], call->Integers[0], call->Floats[0], zero, lowest);
    }

    /// <summary>Quantizes to lowest .. lowest + 255; the low byte of each result is stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* x, byte* y, long count, float scale, int zero, int lowest)
    {
        Vector256<float> low = Vector256.Create((float)(lowest - zero)), high = Vector256.Create((float)(lowest + 255 - zero)),
            divisor = Vector256.Create(scale);
        Vector256<int> offset = Vector256.Create(zero);
        // 16 at a time: a cache line of floats, which is what activations are padded to.
        for (long i = 0; i < count; i += 16)
        {
            Vector256<int> a = Rounding.ToInt32(Vector256.Load(x + i) / divisor, low, high) + offset;
            Vector256<int> b = Rounding.ToInt32(Vector256.Load(x + i + 8) / divisor, low, high) + offset;
            Rounding.LowBytes(a, b).Store(y + i);
        }
    }
}
