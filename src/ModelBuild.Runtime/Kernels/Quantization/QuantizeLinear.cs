using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>ONNX QuantizeLinear to 8 bits with one scale: y = saturate(round half even(x / scale) + zero).</summary>
internal unsafe struct QuantizeLinearArguments : IKernelArguments<QuantizeLinearArguments>
{
    /// <summary>UInt8 or Int8.</summary>
    public ModelElementType YType;
    public Operand X, Y;
    public Loops Extents, XStrides, YStrides;
    public Size Zero;
    public float Scale;

    public static Kernel<QuantizeLinearArguments> Kernel { get; } = new(KernelIds.QuantizeLinear, "QuantizeLinear",
        new Variant<QuantizeLinearArguments>("vector", true, QuantizeLinear.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref YType, nameof(YType));
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), YType);
        Extents.Visit(ref visitor, nameof(Extents));
        XStrides.Visit(ref visitor, nameof(XStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
        visitor.Size(ref Zero, nameof(Zero));
        visitor.Number(ref Scale, nameof(Scale));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Y);
        NestCursor.Check(check, X, Extents, XStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
        DenseInt8Core.CheckZero(check, YType, Zero);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

/// <summary>Results are those of a division: a product with the reciprocal is divided again where both could round to different integers.</summary>
internal static unsafe class QuantizeLinear
{
    // Elements that are quantized before they are spread out.
    private const int Chunk = 256;

    public static delegate*<QuantizeLinearArguments*, long, long, byte*, void> Select(in QuantizeLinearArguments a) =>
        Interleaving.Is(a.Extents, a.XStrides, a.YStrides) ? &Join : &Run;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(QuantizeLinearArguments* a, long first, long last, byte* scratch)
    {
        int zero = (int)a->Zero, lowest = a->YType == ModelElementType.Int8 ? sbyte.MinValue : byte.MinValue;
        var scale = a->Scale;
        NestCursor cursor = new(a->Extents, first);
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        for (; first < last; first++, cursor.Next())
        {
            var x = (float*)a->X + cursor.Offset(a->XStrides);
            var y = (byte*)a->Y + cursor.Offset(a->YStrides);
            if (xStep == 1 && yStep == 1) Row(x, y, cursor.Length, scale, zero, lowest);
            else Spread(x, xStep, y, yStep, cursor.Length, scale, zero, lowest);
        }
    }

    // Rows with gaps are gathered and scattered part by part.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Spread(float* x, long xStep, byte* y, long yStep, long length, float scale, int zero, int lowest)
    {
        var floats = stackalloc float[Chunk];
        var bytes = stackalloc byte[Chunk];
        for (; length > 0; length -= Chunk, x += Chunk * xStep, y += Chunk * yStep)
        {
            var count = (int)Math.Min(length, Chunk);
            var from = x;
            if (xStep != 1)
            {
                for (var i = 0; i < count; i++) floats[i] = x[i * xStep];
                from = floats;
            }
            Row(from, yStep == 1 ? y : bytes, count, scale, zero, lowest);
            if (yStep == 1) continue;
            for (var i = 0; i < count; i++) y[i * yStep] = bytes[i];
        }
    }

    /// <summary>Planes of a few channels become pixels. Of the tiles, the one of the first channel does the work of all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Join(QuantizeLinearArguments* a, long first, long last, byte* scratch)
    {
        int zero = (int)a->Zero, lowest = a->YType == ModelElementType.Int8 ? sbyte.MinValue : byte.MinValue, channels = (int)(long)a->Extents.L4;
        var scale = a->Scale;
        long plane = a->XStrides.L4;
        var bytes = stackalloc byte[4 * Chunk];
        NestCursor cursor = new(a->Extents, first);
        for (; first < last; first++, cursor.Next())
        {
            if (!cursor.IsFirst) continue;
            var x = (float*)a->X + cursor.Offset(a->XStrides);
            var y = (byte*)a->Y + cursor.Offset(a->YStrides);
            for (var length = cursor.Length; length > 0; length -= Chunk, x += Chunk, y += Chunk * channels)
            {
                var count = (int)Math.Min(length, Chunk);
                for (var c = 0; c < channels; c++) Row(x + c * plane, bytes + c * Chunk, count, scale, zero, lowest);
                if (channels == 3)
                    for (var i = JoinThree(bytes, y, count); i < count; i++)
                        (y[3 * i], y[3 * i + 1], y[3 * i + 2]) = (bytes[i], bytes[Chunk + i], bytes[2 * Chunk + i]);
                else
                    for (var i = 0; i < count; i++)
                        for (var c = 0; c < channels; c++) y[i * channels + c] = bytes[c * Chunk + i];
            }
        }
    }

    // 16 pixels at a time: the bytes of each plane go to their places in three vectors, and the others are zeros there.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int JoinThree(byte* planes, byte* y, int count)
    {
        Vector128<byte> r0 = Vector128.Create((byte)0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255, 255, 5);
        Vector128<byte> g0 = Vector128.Create((byte)255, 0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255, 255);
        Vector128<byte> b0 = Vector128.Create((byte)255, 255, 0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255);
        Vector128<byte> r1 = Vector128.Create((byte)255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255, 10, 255);
        Vector128<byte> g1 = Vector128.Create((byte)5, 255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255, 10);
        Vector128<byte> b1 = Vector128.Create((byte)255, 5, 255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255);
        Vector128<byte> r2 = Vector128.Create((byte)255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15, 255, 255);
        Vector128<byte> g2 = Vector128.Create((byte)255, 255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15, 255);
        Vector128<byte> b2 = Vector128.Create((byte)10, 255, 255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15);
        var p = 0;
        for (; p <= count - 16; p += 16)
        {
            Vector128<byte> r = Vector128.Load(planes + p), g = Vector128.Load(planes + Chunk + p), b = Vector128.Load(planes + 2 * Chunk + p);
            (Vector128.ShuffleNative(r, r0) | Vector128.ShuffleNative(g, g0) | Vector128.ShuffleNative(b, b0)).Store(y + 3 * p);
            (Vector128.ShuffleNative(r, r1) | Vector128.ShuffleNative(g, g1) | Vector128.ShuffleNative(b, b1)).Store(y + 3 * p + 16);
            (Vector128.ShuffleNative(r, r2) | Vector128.ShuffleNative(g, g2) | Vector128.ShuffleNative(b, b2)).Store(y + 3 * p + 32);
        }
        return p;
    }

    /// <summary>Quantizes to lowest .. lowest + 255; the low byte of each result is stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* x, byte* y, long count, float scale, int zero, int lowest)
    {
        Vector256<float> low = Vector256.Create((float)(lowest - zero)), high = Vector256.Create((float)(lowest + 255 - zero)),
            divisor = Vector256.Create(scale);
        Vector256<int> offset = Vector256.Create(zero);
        long i = 0;
        if (Vector512.IsHardwareAccelerated) i = Sixteens(x, y, count, scale, zero, lowest);
        for (; i <= count - 16; i += 16)
        {
            Vector256<int> a = Rounding.ToInt32(Vector256.Load(x + i) / divisor, low, high) + offset;
            Vector256<int> b = Rounding.ToInt32(Vector256.Load(x + i + 8) / divisor, low, high) + offset;
            Rounding.LowBytes(a, b).Store(y + i);
        }
        for (; i < count; i++) y[i] = One(x[i], scale, zero, lowest);
    }

    // Within the limits, product and quotient are less than 1e-4 apart: three roundings of numbers below 512.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Sixteens(float* x, byte* y, long count, float scale, int zero, int lowest)
    {
        var reciprocal = 1 / scale;
        // A reciprocal that is not finite, or has lost bits, says nothing.
        if (!(reciprocal is > 1e-30f and < 1e30f)) return 0;
        Vector512<float> factor = Vector512.Create(reciprocal), divisor = Vector512.Create(scale), tie = Vector512.Create(0.4999f);
        Vector512<float> low = Vector512.Create((float)(lowest - zero)), high = Vector512.Create((float)(lowest + 255 - zero));
        Vector512<int> offset = Vector512.Create(zero);
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            Vector512<float> v = Vector512.Load(x + i);
            // Not a number becomes the lower limit, as the second operand does.
            Vector512<float> q = Vector512.MinNative(Vector512.MaxNative(v * factor, low), high);
            Vector512<int> rounded = Avx512F.ConvertToVector512Int32(q);
            if (Vector512.GreaterThanAny(Vector512.Abs(q - Vector512.ConvertToSingle(rounded)), tie))
                rounded = Avx512F.ConvertToVector512Int32(Vector512.MinNative(Vector512.MaxNative(v / divisor, low), high));
            Avx512F.ConvertToVector128Byte(rounded + offset).Store(y + i);
        }
        return i;
    }

    private static byte One(float x, float scale, int zero, int lowest) =>
        (byte)(Rounding.ToInt32(x / scale, lowest - zero, lowest + 255 - zero) + zero);
}
