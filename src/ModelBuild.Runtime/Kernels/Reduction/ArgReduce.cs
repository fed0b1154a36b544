using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>ONNX ArgMax and ArgMin: the index of the largest or smallest element along one dimension.</summary>
internal unsafe struct ArgReduceArguments : IKernelArguments<ArgReduceArguments>
{
    /// <summary>Float, Int32 or Int64.</summary>
    public ModelElementType Type;
    public Operand X;
    /// <summary>Int64.</summary>
    public Operand Y;
    /// <summary>The dimensions that are kept.</summary>
    public Loops Kept, XStrides, YStrides;
    /// <summary>The reduced dimension.</summary>
    public Size Count, Stride;
    /// <summary>1 for the smallest.</summary>
    public Size Smallest;
    /// <summary>1 for the last of equal ones.</summary>
    public Size Last;

    public static Kernel<ArgReduceArguments> Kernel { get; } = new(KernelIds.ArgReduce, "ArgReduce", new Variant<ArgReduceArguments>("scalar", true,
        ArgReduce.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Input(ref X, nameof(X), Type);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Int64);
        Kept.Visit(ref visitor, nameof(Kept));
        XStrides.Visit(ref visitor, nameof(XStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
        visitor.Size(ref Count, nameof(Count));
        visitor.Size(ref Stride, nameof(Stride));
        visitor.Size(ref Smallest, nameof(Smallest));
        visitor.Size(ref Last, nameof(Last));
    }

    public readonly void Check(KernelCheck check)
    {
        if (Type is not (ModelElementType.Float or ModelElementType.Int32 or ModelElementType.Int64)) throw check.Damaged($"there is no order of {Type}");
        check.Present(X, Y);
        check.Sizes(Count, Stride);
        check.InRange(Smallest, 0, 1);
        check.InRange(Last, 0, 1);
        NestCursor.CheckWritten(check, Y, Kept, YStrides);
        NestCursor.Check(check, X, Kept, XStrides, Loops.Of(1, Count), Loops.Of(0, Stride));
        check.Distinct((Count, Stride));
    }

    public readonly long Tiles => NestCursor.Tiles(Kept);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Kept) * Count;
}

internal static unsafe class ArgReduce
{
    public static delegate*<ArgReduceArguments*, long, long, byte*, void> Select(in ArgReduceArguments a) => a.Type switch
    {
        ModelElementType.Float => &Run<float>,
        ModelElementType.Int32 => &Run<int>,
        _ => &Run<long>,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(ArgReduceArguments* a, long first, long last, byte* scratch) where T : unmanaged, INumber<T>
    {
        NestCursor kept = new(a->Kept, first);
        bool smallest = a->Smallest == 1, later = a->Last == 1;
        for (; first < last; first++, kept.Next())
        {
            var x = (T*)(void*)a->X + kept.Offset(a->XStrides);
            var y = (long*)a->Y + kept.Offset(a->YStrides);
            for (var i = kept.Length; i > 0; i--, x += a->XStrides.L5, y += a->YStrides.L5)
            {
                long best = 0;
                var value = *x;
                for (long k = 1; k < a->Count; k++)
                {
                    var next = x[k * a->Stride];
                    if (!(smallest ? next < value : next > value) && !(later && next == value)) continue;
                    (best, value) = (k, next);
                }
                *y = best;
            }
        }
    }
}
