using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>y = table[x] of 8 bits: any function of one quantized value, quantized again.</summary>
internal unsafe struct MapInt8Arguments : IKernelArguments<MapInt8Arguments>
{
    /// <summary>UInt8 or Int8.</summary>
    public ModelElementType XType, YType;
    public Operand X;
    /// <summary>256 bytes: the results of x by its bits.</summary>
    public Operand Table;
    public Operand Y;
    public Loops Extents, XStrides, YStrides;

    public static Kernel<MapInt8Arguments> Kernel { get; } = new(KernelIds.MapInt8, "MapInt8",
        new("avx512vbmi", Avx512Vbmi.IsSupported && Vector512.IsHardwareAccelerated, &MapInt8.RunPermuted), new("scalar", true, &MapInt8.Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref XType, nameof(XType));
        visitor.Type(ref YType, nameof(YType));
        visitor.Input(ref X, nameof(X), XType);
        visitor.Input(ref Table, nameof(Table), ModelElementType.UInt8);
        visitor.Output(ref Y, nameof(Y), YType);
        Extents.Visit(ref visitor, nameof(Extents));
        XStrides.Visit(ref visitor, nameof(XStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Table, Y);
        ImageChecks.Holds(check, XType, Size.Of(0));
        ImageChecks.Holds(check, YType, Size.Of(0));
        check.Reaches(Table, 256);
        NestCursor.Check(check, X, Extents, XStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

/// <summary>The code of <see cref="MapInt8Arguments"/>.</summary>
internal static unsafe class MapInt8
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(MapInt8Arguments* a, long first, long last, byte* scratch)
    {
        var table = (byte*)a->Table;
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        NestCursor cursor = new(a->Extents, first);
        for (; first < last; first++, cursor.Next())
            Row(table, (byte*)a->X + cursor.Offset(a->XStrides), xStep, (byte*)a->Y + cursor.Offset(a->YStrides), yStep, cursor.Length);
    }

    // The table lies in four registers: one permutation of two takes the low 7 bits of an index, the eighth chooses between both.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPermuted(MapInt8Arguments* a, long first, long last, byte* scratch)
    {
        var table = (byte*)a->Table;
        Vector512<byte> t0 = Vector512.Load(table), t1 = Vector512.Load(table + 64), t2 = Vector512.Load(table + 128), t3 = Vector512.Load(table + 192);
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        NestCursor cursor = new(a->Extents, first);
        for (; first < last; first++, cursor.Next())
        {
            byte* x = (byte*)a->X + cursor.Offset(a->XStrides), y = (byte*)a->Y + cursor.Offset(a->YStrides);
            long length = cursor.Length, i = 0;
            if (xStep == 1 && yStep == 1)
            {
                for (; i <= length - 64; i += 64)
                {
                    Vector512<byte> index = Vector512.Load(x + i);
                    Vector512<byte> low = Avx512Vbmi.PermuteVar64x8x2(t0, index, t1), high = Avx512Vbmi.PermuteVar64x8x2(t2, index, t3);
                    Vector512.ConditionalSelect(Vector512.LessThan(index.AsSByte(), Vector512<sbyte>.Zero).AsByte(), high, low).Store(y + i);
                }
                for (; i <= length - 16; i += 16)
                {
                    Vector512<byte> index = Vector128.Load(x + i).ToVector256Unsafe().ToVector512Unsafe();
                    Vector512<byte> low = Avx512Vbmi.PermuteVar64x8x2(t0, index, t1), high = Avx512Vbmi.PermuteVar64x8x2(t2, index, t3);
                    Vector512.ConditionalSelect(Vector512.LessThan(index.AsSByte(), Vector512<sbyte>.Zero).AsByte(), high, low).GetLower().GetLower()
                        .Store(y + i);
                }
            }
            Row(table, x + i * xStep, xStep, y + i * yStep, yStep, length - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row(byte* table, byte* x, long xStep, byte* y, long yStep, long length)
    {
        for (; length >= 4; length -= 4, x += 4 * xStep, y += 4 * yStep)
        {
            byte p = table[*x], q = table[x[xStep]], r = table[x[2 * xStep]], s = table[x[3 * xStep]];
            *y = p;
            y[yStep] = q;
            y[2 * yStep] = r;
            y[3 * yStep] = s;
        }
        for (; length > 0; length--, x += xStep, y += yStep) *y = table[*x];
    }
}
