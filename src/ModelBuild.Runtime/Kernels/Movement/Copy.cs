using System.Runtime.CompilerServices;

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
        NestCursor.Check(check, Y, Extents, YStrides);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(CopyArguments* a, long first, long last, byte* scratch) where T : unmanaged
    {
        NestCursor cursor = new(a->Extents, first);
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
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
