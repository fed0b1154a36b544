using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>
/// ONNX Gather along one axis: y[o, i, k] = x[o, indices[i], k]. Negative indices count from the end; others than the axis has end the call with an
/// <see cref="IndexOutOfRangeException"/>.
/// </summary>
internal unsafe struct GatherArguments : IKernelArguments<GatherArguments>
{
    public ModelElementType Type;
    public Operand X;
    /// <summary>Int64 or Int32.</summary>
    public ModelElementType IndexType;
    public Operand Indices, Y;
    /// <summary>Outer parts, indices, elements behind the axis (which follow each other in x and y), and how long the axis is in x.</summary>
    public Size Outer, Count, Inner, Axis;
    /// <summary>Elements from one outer part to the next, and along the axis.</summary>
    public Size XOuter, XAxis, YOuter, YAxis;

    public static Kernel<GatherArguments> Kernel { get; } = new(KernelIds.Gather, "Gather", new Variant<GatherArguments>("scalar", true, &Gathering.Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Type(ref IndexType, nameof(IndexType));
        visitor.Input(ref X, nameof(X), Type);
        visitor.Input(ref Indices, nameof(Indices), IndexType);
        visitor.Output(ref Y, nameof(Y), Type);
        visitor.Size(ref Outer, nameof(Outer));
        visitor.Size(ref Count, nameof(Count));
        visitor.Size(ref Inner, nameof(Inner));
        visitor.Size(ref Axis, nameof(Axis));
        visitor.Size(ref XOuter, nameof(XOuter));
        visitor.Size(ref XAxis, nameof(XAxis));
        visitor.Size(ref YOuter, nameof(YOuter));
        visitor.Size(ref YAxis, nameof(YAxis));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Indices, Y);
        check.Sizes(Outer, Count, Inner, Axis, XOuter, XAxis, YOuter, YAxis);
        if (IndexType is not (ModelElementType.Int64 or ModelElementType.Int32)) throw check.Damaged($"{IndexType} is no type of indices");
        check.Reaches(Indices, Count);
        if (Outer == 0 || Count == 0 || Inner == 0) return;
        check.Reaches(X, Axis == 0 ? 0 : checked((Outer - 1) * XOuter + (Axis - 1) * XAxis + Inner));
        check.Reaches(Y, checked((Outer - 1) * YOuter + (Count - 1) * YAxis + Inner));
        check.Distinct((Outer, YOuter), (Count, YAxis), (Inner, 1));
    }

    public readonly long Tiles => Inner == 0 ? 0 : Outer * Count;

    public readonly long Scratch => 0;

    public readonly double Work => (double)Outer * Count * Inner;
}

internal static unsafe class Gathering
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(GatherArguments* a, long first, long last, byte* scratch)
    {
        long size = ModelElementTypes.SizeOf(a->Type), bytes = a->Inner * size, count = a->Count;
        for (; first < last; first++)
        {
            var (outer, i) = (first / count, first % count);
            var index = IndexAt(a->Indices, a->IndexType, i, a->Axis);
            var x = (byte*)a->X + (outer * a->XOuter + index * a->XAxis) * size;
            var y = (byte*)a->Y + (outer * a->YOuter + i * a->YAxis) * size;
            if (bytes == 4) *(uint*)y = *(uint*)x;
            else Buffer.MemoryCopy(x, y, bytes, bytes);
        }
    }

    /// <summary>The index of a list at a place, counted from the start of its axis.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long IndexAt(Operand indices, ModelElementType type, long at, long axis)
    {
        var index = type == ModelElementType.Int64 ? ((long*)indices)[at] : ((int*)indices)[at];
        if (index < 0) index += axis;
        if ((ulong)index >= (ulong)axis) Throw(index, axis);
        return index;
    }

    private static void Throw(long index, long axis) => throw new IndexOutOfRangeException($"an index is {index}, its axis has {axis} elements");
}
