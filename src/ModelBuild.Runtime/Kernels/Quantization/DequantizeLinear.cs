using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>ONNX DequantizeLinear with one scale. Whole vectors only: every activation is padded to whole vectors.</summary>
internal static unsafe class DequantizeLinear
{
    public static Kernel Kernel { get; } = new(KernelIds.DequantizeLinear, nameof(DequantizeLinear), 2, 3, 1, Check, &Run);

    private static void Check(KernelCheck a)
    {
        var signed = a.InRange(2, 0, 1) == 1;
        a.Buffer(0, signed ? ModelElementType.Int8 : ModelElementType.UInt8, a.Size(0));
        a.Buffer(1, ModelElementType.Float, a.Size(0));
        a.InRange(1, signed ? sbyte.MinValue : byte.MinValue, signed ? sbyte.MaxValue : byte.MaxValue);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(KernelCall* call)
    {
        var x = (byte*)call->Operands[0];
        var y = (float*)call->Operands[1];
        var count = call->Integers[0];
        // An int8 value with its sign bit turned is the value plus 128 as a uint8: one path serves both.
        var signed = call->Integers[2] == 1;
        Vector128<byte> turn = Vector128.Create(signed ? (byte)0x80 : (byte)0);
        Vector128<int> zero = Vector128.Create((int)call->Integers[1] + (signed ? 128 : 0));
        Vector128<float> scale = Vector128.Create(call->Floats[0]);
        for (long i = 0; i < count; i += 16)
        {
            (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(Vector128.Load(x + i) ^ turn);
            (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(low);
            (Vector128<uint> c, Vector128<uint> d) = Vector128.Widen(high);
            (Vector128.ConvertToSingle(a.AsInt32() - zero) * scale).Store(y + i);
            (Vector128.ConvertToSingle(b.AsInt32() - zero) * scale).Store(y + i + 4);
            (Vector128.ConvertToSingle(c.AsInt32() - zero) * scale).Store(y + i + 8);
            (Vector128.ConvertToSingle(d.AsInt32() - zero) * scale).Store(y + i + 12);
        }
    }
}
