using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>
/// ONNX GatherElements: y[.., i, ..] = x[.., indices[.., i, ..], ..]. The loops are those of y; x moves with all of them but the axis, along which the index
/// moves it. Other indices than the axis has end the call with an <see cref="IndexOutOfRangeException"/>.
/// </summary>
internal unsafe struct GatherElementsArguments : IKernelArguments<GatherElementsArguments>
{
    public ModelElementType Type, IndexType;
    public Operand X, Indices, Y;
    public Loops Extents, XStrides, IndexStrides, YStrides;
    /// <summary>The axis of x.</summary>
    public Size Axis, AxisStride;

    public static Kernel<GatherElementsArguments> Kernel { get; } = new(KernelIds.GatherElements, "GatherElements",
        new Variant<GatherElementsArguments>("scalar", true, &ElementGathering.Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Type(ref IndexType, nameof(IndexType));
        visitor.Input(ref X, nameof(X), Type);
        visitor.Input(ref Indices, nameof(Indices), IndexType);
        visitor.Output(ref Y, nameof(Y), Type);
        Extents.Visit(ref visitor, nameof(Extents));
        XStrides.Visit(ref visitor, nameof(XStrides));
        IndexStrides.Visit(ref visitor, nameof(IndexStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
        visitor.Size(ref Axis, nameof(Axis));
        visitor.Size(ref AxisStride, nameof(AxisStride));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Indices, Y);
        check.Sizes(Axis, AxisStride);
        if (IndexType is not (ModelElementType.Int64 or ModelElementType.Int32)) throw check.Damaged($"{IndexType} is no type of indices");
        NestCursor.Check(check, Indices, Extents, IndexStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
        if (Axis > 0) NestCursor.Check(check, X, Extents, XStrides, Loops.Of(1, Axis), Loops.Of(0, AxisStride));
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

internal static unsafe class ElementGathering
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(GatherElementsArguments* a, long first, long last, byte* scratch)
    {
        long size = ModelElementTypes.SizeOf(a->Type);
        NestCursor cursor = new(a->Extents, first);
        for (; first < last; first++, cursor.Next())
        {
            long x = cursor.Offset(a->XStrides), index = cursor.Offset(a->IndexStrides), y = cursor.Offset(a->YStrides);
            for (var i = cursor.Length; i > 0; i--, x += a->XStrides.L5, index += a->IndexStrides.L5, y += a->YStrides.L5)
            {
                var at = x + Gathering.IndexAt(a->Indices, a->IndexType, index, a->Axis) * a->AxisStride;
                Unsafe.CopyBlockUnaligned((byte*)a->Y + y * size, (byte*)a->X + at * size, (uint)size);
            }
        }
    }
}
