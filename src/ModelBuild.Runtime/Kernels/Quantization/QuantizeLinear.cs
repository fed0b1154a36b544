using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
        NestCursor.Check(check, Y, Extents, YStrides);
        DenseInt8Core.CheckZero(check, YType, Zero);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

/// <summary>A division, not a product with the reciprocal, which rounds otherwise.</summary>
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
                    for (var i = 0; i < count; i++) (y[3 * i], y[3 * i + 1], y[3 * i + 2]) = (bytes[i], bytes[Chunk + i], bytes[2 * Chunk + i]);
                else
                    for (var i = 0; i < count; i++)
                        for (var c = 0; c < channels; c++) y[i * channels + c] = bytes[c * Chunk + i];
            }
        }
    }

    /// <summary>Quantizes to lowest .. lowest + 255; the low byte of each result is stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* x, byte* y, long count, float scale, int zero, int lowest)
    {
        Vector256<float> low = Vector256.Create((float)(lowest - zero)), high = Vector256.Create((float)(lowest + 255 - zero)),
            divisor = Vector256.Create(scale);
        Vector256<int> offset = Vector256.Create(zero);
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            Vector256<int> a = Rounding.ToInt32(Vector256.Load(x + i) / divisor, low, high) + offset;
            Vector256<int> b = Rounding.ToInt32(Vector256.Load(x + i + 8) / divisor, low, high) + offset;
            Rounding.LowBytes(a, b).Store(y + i);
        }
        for (; i < count; i++) y[i] = One(x[i], scale, zero, lowest);
    }

    private static byte One(float x, float scale, int zero, int lowest) =>
        (byte)(Rounding.ToInt32(x / scale, lowest - zero, lowest + 255 - zero) + zero);
}
