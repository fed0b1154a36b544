using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>y = x under any strides: what Transpose, Slice, Concat, Expand, Tile and their like come to where a kernel cannot read the view itself.</summary>
internal unsafe struct CopyArguments : IKernelArguments<CopyArguments>
{
    public ModelElementType Type;
    public Operand X, Y;
    public Loops Extents, XStrides, YStrides;

    public static Kernel<CopyArguments> Kernel { get; } = new(KernelIds.Copy, "Copy", new Variant<CopyArguments>("vector", true, Copy.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Input(ref X, nameof(X), Type);
        visitor.Output(ref Y, nameof(Y), Type);
        Extents.Visit(ref visitor, nameof(Extents));
        XStrides.Visit(ref visitor, nameof(XStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Y);
        NestCursor.Check(check, X, Extents, XStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

internal static unsafe class Copy
{
    public static delegate*<CopyArguments*, long, long, byte*, void> Select(in CopyArguments a) => ModelElementTypes.SizeOf(a.Type) switch
    {
        1 => &Run<byte>,
        2 => &Run<ushort>,
        4 when Interleaving.Is(a.Extents, a.XStrides, a.YStrides) => &Interleaving.Join,
        4 when Interleaving.Is(a.Extents, a.YStrides, a.XStrides) => &Interleaving.Part,
        4 => &Run<uint>,
        _ => &Run<ulong>,
    };

    // Bytes of rows that are copied one after the other without a cursor between.
    private const int ShortRow = 2048;

    // Elements of rows that are filled in the same way.
    private const int ShortFill = 64;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FillRows<T>(CopyArguments* a, long first, long last) where T : unmanaged
    {
        long length = a->Extents.L5, count = a->Extents.L4, xRow = a->XStrides.L4, yRow = a->YStrides.L4;
        while (first < last)
        {
            NestCursor cursor = new(a->Extents, first);
            T* x = (T*)(void*)a->X + cursor.Offset(a->XStrides), y = (T*)(void*)a->Y + cursor.Offset(a->YStrides);
            var rows = Math.Min(last - first, count - first % count);
            first += rows;
            for (; rows > 0; rows--, x += xRow, y += yRow)
            {
                T value = *x;
                for (long i = 0; i < length; i++) y[i] = value;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows(CopyArguments* a, long first, long last, int size)
    {
        long length = a->Extents.L5 * size, count = a->Extents.L4, xRow = a->XStrides.L4 * size, yRow = a->YStrides.L4 * size;
        while (first < last)
        {
            NestCursor cursor = new(a->Extents, first);
            byte* x = (byte*)a->X + cursor.Offset(a->XStrides) * size, y = (byte*)a->Y + cursor.Offset(a->YStrides) * size;
            var rows = Math.Min(last - first, count - first % count);
            first += rows;
            for (; rows > 0; rows--, x += xRow, y += yRow)
            {
                // The last part overlaps the one before it.
                if (length > 64) Unsafe.CopyBlockUnaligned(y, x, (uint)length);
                else if (length >= 16)
                {
                    Vector128<byte> end = Vector128.Load(x + length - 16);
                    for (long i = 0; i < length - 16; i += 16) Vector128.Load(x + i).Store(y + i);
                    end.Store(y + length - 16);
                }
                else if (length >= 8)
                {
                    ulong start = Unsafe.ReadUnaligned<ulong>(x), end = Unsafe.ReadUnaligned<ulong>(x + length - 8);
                    Unsafe.WriteUnaligned(y, start);
                    Unsafe.WriteUnaligned(y + length - 8, end);
                }
                else if (length >= 4)
                {
                    uint start = Unsafe.ReadUnaligned<uint>(x), end = Unsafe.ReadUnaligned<uint>(x + length - 4);
                    Unsafe.WriteUnaligned(y, start);
                    Unsafe.WriteUnaligned(y + length - 4, end);
                }
                else
                    for (long i = 0; i < length; i++) y[i] = x[i];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(CopyArguments* a, long first, long last, byte* scratch) where T : unmanaged
    {
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        if (xStep == 1 && yStep == 1 && a->Extents.L5 * sizeof(T) is > 0 and <= ShortRow)
        {
            Rows(a, first, last, sizeof(T));
            return;
        }
        if (xStep == 0 && yStep == 1 && a->Extents.L5 <= ShortFill)
        {
            FillRows<T>(a, first, last);
            return;
        }
        NestCursor cursor = new(a->Extents, first);
        for (var tile = first; tile < last; tile++, cursor.Next())
        {
            T* x = (T*)(void*)a->X + cursor.Offset(a->XStrides), y = (T*)(void*)a->Y + cursor.Offset(a->YStrides);
            var length = cursor.Length;
            if (xStep == 1 && yStep == 1 && length >= 4) new ReadOnlySpan<T>(x, (int)length).CopyTo(new Span<T>(y, (int)length));
            else if (xStep == 0 && yStep == 1) new Span<T>(y, (int)length).Fill(*x);
            else
                for (; length > 0; length--, x += xStep, y += yStep) *y = *x;
        }
    }
}
