using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>What <see cref="KernelIds.Reduce"/> computes over the reduced dimensions. The numbers are part of the artifact format.</summary>
internal enum Reduction
{
    /// <summary>The sum.</summary>
    Sum = 0,
    /// <summary>The sum over the count.</summary>
    Mean = 1,
    /// <summary>The largest.</summary>
    Maximum = 2,
    /// <summary>The smallest.</summary>
    Minimum = 3,
    /// <summary>The product.</summary>
    Product = 4,
    /// <summary>The sum of absolute values.</summary>
    SumOfAbsolutes = 5,
    /// <summary>The sum of squares.</summary>
    SumOfSquares = 6,
    /// <summary>The root of the sum of squares.</summary>
    Length = 7,
    /// <summary>The logarithm of the sum.</summary>
    LogOfSum = 8,
}

/// <summary>y = reduction of x over some dimensions. Kept and reduced dimensions are loops of their own.</summary>
internal unsafe struct ReduceArguments : IKernelArguments<ReduceArguments>
{
    /// <summary>A <see cref="Kernels.Reduction"/>.</summary>
    public Size Reduction;
    /// <summary>Float, Int32 or Int64.</summary>
    public ModelElementType Type;
    public Operand X, Y;
    /// <summary>The dimensions that are kept.</summary>
    public Loops Kept, KeptXStrides, YStrides;
    /// <summary>The dimensions that are reduced, and their strides in x.</summary>
    public Loops Reduced, ReducedXStrides;

    public static Kernel<ReduceArguments> Kernel { get; } = new(KernelIds.Reduce, "Reduce", new Variant<ReduceArguments>("vector", true, Reduce.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Size(ref Reduction, nameof(Reduction));
        visitor.Type(ref Type, nameof(Type));
        visitor.Input(ref X, nameof(X), Type);
        visitor.Output(ref Y, nameof(Y), Type);
        Kept.Visit(ref visitor, nameof(Kept));
        KeptXStrides.Visit(ref visitor, nameof(KeptXStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
        Reduced.Visit(ref visitor, nameof(Reduced));
        ReducedXStrides.Visit(ref visitor, nameof(ReducedXStrides));
    }

    public readonly void Check(KernelCheck check)
    {
        check.InRange(Reduction, 0, (int)Kernels.Reduction.LogOfSum);
        if (!Reduce.Takes((Reduction)(long)Reduction, Type)) throw check.Damaged($"there is no such reduction of {Type}");
        check.Present(X, Y);
        NestCursor.CheckWritten(check, Y, Kept, YStrides);
        NestCursor.Check(check, X, Kept, KeptXStrides, Reduced, ReducedXStrides);
        // Or a small file could ask for any amount of work.
        NestCursor.CheckDistinct(check, Reduced, ReducedXStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Kept);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Kept) * NestCursor.Elements(Reduced);
}

/// <summary>
/// Reductions. Where x follows itself along the kept dimension, a block of results is carried through all reduced elements; where it does along the reduced
/// one, several vectors of partial results are. Sums of many floats are made of partial sums of 64, so that their error does not grow with the count.
/// </summary>
internal static unsafe class Reduce
{
    private const int Block = 256, Part = 64;

    /// <summary>Whether a reduction has code for an element type.</summary>
    public static bool Takes(Reduction reduction, ModelElementType type) => type switch
    {
        ModelElementType.Float => true,
        ModelElementType.Int32 or ModelElementType.Int64 => reduction is not (Reduction.Mean or Reduction.Length or Reduction.LogOfSum),
        _ => false,
    };

    public static delegate*<ReduceArguments*, long, long, byte*, void> Select(in ReduceArguments a) => a.Type switch
    {
        ModelElementType.Int32 => Integers<int>((Reduction)(long)a.Reduction),
        ModelElementType.Int64 => Integers<long>((Reduction)(long)a.Reduction),
        _ => (Reduction)(long)a.Reduction switch
        {
            Reduction.Maximum => &RunFloats<MaximumReduction>,
            Reduction.Minimum => &RunFloats<MinimumReduction>,
            Reduction.Product => &RunFloats<ProductReduction>,
            Reduction.SumOfAbsolutes => &RunFloats<AbsoluteReduction>,
            Reduction.SumOfSquares or Reduction.Length => &RunFloats<SquareReduction>,
            _ => &RunFloats<SumReduction>,
        },
    };

    private static delegate*<ReduceArguments*, long, long, byte*, void> Integers<T>(Reduction reduction) where T : unmanaged, IBinaryInteger<T>,
        IMinMaxValue<T> =>
        reduction switch
        {
            Reduction.Maximum => &RunIntegers<T, MaximumFunction>,
            Reduction.Minimum => &RunIntegers<T, MinimumFunction>,
            Reduction.Product => &RunIntegers<T, MultiplyFunction>,
            _ => &RunIntegers<T, AddFunction>,
        };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunIntegers<T, TFunction>(ReduceArguments* a, long first, long last, byte* scratch)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T> where TFunction : struct, IIntegerFunction
    {
        var reduction = (Reduction)(long)a->Reduction;
        T start = reduction switch { Reduction.Maximum => T.MinValue, Reduction.Minimum => T.MaxValue, Reduction.Product => T.One, _ => T.Zero };
        NestCursor kept = new(a->Kept, first);
        for (; first < last; first++, kept.Next())
        {
            T* x = (T*)(void*)a->X + kept.Offset(a->KeptXStrides), y = (T*)(void*)a->Y + kept.Offset(a->YStrides);
            for (var i = kept.Length; i > 0; i--, x += a->KeptXStrides.L5, y += a->YStrides.L5)
            {
                var result = start;
                NestCursor reduced = new(a->Reduced, 0);
                for (var tile = NestCursor.Tiles(a->Reduced); tile > 0; tile--, reduced.Next())
                {
                    var from = x + reduced.Offset(a->ReducedXStrides);
                    for (var k = reduced.Length; k > 0; k--, from += a->ReducedXStrides.L5)
                    {
                        var value = *from;
                        if (reduction == Reduction.SumOfSquares) value *= value;
                        else if (reduction == Reduction.SumOfAbsolutes && T.IsNegative(value)) value = -value;
                        result = TFunction.Apply(result, value);
                    }
                }
                *y = result;
            }
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunFloats<T>(ReduceArguments* a, long first, long last, byte* scratch) where T : struct, IFloatReduction
    {
        var reduction = (Reduction)(long)a->Reduction;
        var count = NestCursor.Elements(a->Reduced);
        var tiles = NestCursor.Tiles(a->Reduced);
        long xStep = a->KeptXStrides.L5, yStep = a->YStrides.L5, reducedStep = a->ReducedXStrides.L5;
        var whole = stackalloc float[Block];
        NestCursor kept = new(a->Kept, first);
        for (; first < last; first++, kept.Next())
        {
            float* x = (float*)a->X + kept.Offset(a->KeptXStrides), y = (float*)a->Y + kept.Offset(a->YStrides);
            var length = kept.Length;
            for (long i = 0; i < length;)
            {
                var width = xStep == 1 ? (int)Math.Min(Block, length - i) : 1;
                if (width >= Vector<float>.Count)
                {
                    width = width / Vector<float>.Count * Vector<float>.Count;
                    Columns<T>(x + i, a, tiles, width, whole);
                }
                else
                {
                    width = 1;
                    *whole = One<T>(x + i * xStep, a, tiles, reducedStep);
                }
                for (var k = 0; k < width; k++)
                {
                    var value = whole[k];
                    y[(i + k) * yStep] = reduction switch
                    {
                        Reduction.Mean => (float)(value / count),
                        Reduction.Length => MathF.Sqrt(value),
                        Reduction.LogOfSum => MathF.Log(value),
                        _ => value,
                    };
                }
                i += width;
            }
        }
    }

    // Results side by side, as many vectors as stay in registers: each reduced element adds a row to all of them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<T>(float* x, ReduceArguments* a, long tiles, int width, float* whole) where T : struct, IFloatReduction
    {
        var lanes = Vector<float>.Count;
        for (; width >= 4 * lanes; width -= 4 * lanes, x += 4 * lanes, whole += 4 * lanes) FourColumns<T>(x, a, tiles, whole);
        for (; width > 0; width -= lanes, x += lanes, whole += lanes) OneColumn<T>(x, a, tiles, whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourColumns<T>(float* x, ReduceArguments* a, long tiles, float* whole) where T : struct, IFloatReduction
    {
        var lanes = Vector<float>.Count;
        var step = (long)a->ReducedXStrides.L5;
        Vector<float> start = new(T.Start), p = start, q = start, r = start, s = start;
        NestCursor reduced = new(a->Reduced, 0);
        for (; tiles > 0; tiles--, reduced.Next())
        {
            var from = x + reduced.Offset(a->ReducedXStrides);
            for (var left = reduced.Length; left > 0; left -= Part)
            {
                Vector<float> b = start, c = start, d = start, e = start;
                for (var k = Math.Min(left, Part); k > 0; k--, from += step)
                {
                    b = T.Add(b, Vector.Load(from));
                    c = T.Add(c, Vector.Load(from + lanes));
                    d = T.Add(d, Vector.Load(from + 2 * lanes));
                    e = T.Add(e, Vector.Load(from + 3 * lanes));
                }
                (p, q, r, s) = (T.Join(p, b), T.Join(q, c), T.Join(r, d), T.Join(s, e));
            }
        }
        p.Store(whole);
        q.Store(whole + lanes);
        r.Store(whole + 2 * lanes);
        s.Store(whole + 3 * lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneColumn<T>(float* x, ReduceArguments* a, long tiles, float* whole) where T : struct, IFloatReduction
    {
        var step = (long)a->ReducedXStrides.L5;
        Vector<float> start = new(T.Start), p = start;
        NestCursor reduced = new(a->Reduced, 0);
        for (; tiles > 0; tiles--, reduced.Next())
        {
            var from = x + reduced.Offset(a->ReducedXStrides);
            for (var left = reduced.Length; left > 0; left -= Part)
            {
                Vector<float> b = start;
                for (var k = Math.Min(left, Part); k > 0; k--, from += step) b = T.Add(b, Vector.Load(from));
                p = T.Join(p, b);
            }
        }
        p.Store(whole);
    }

    // One result: along a row that follows itself by vectors.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float One<T>(float* x, ReduceArguments* a, long tiles, long step) where T : struct, IFloatReduction
    {
        var lanes = Vector<float>.Count;
        var result = T.Start;
        NestCursor reduced = new(a->Reduced, 0);
        for (; tiles > 0; tiles--, reduced.Next())
        {
            var from = x + reduced.Offset(a->ReducedXStrides);
            long length = reduced.Length, i = 0;
            var row = T.Start;
            if (step == 1 && length >= 4 * lanes)
            {
                Vector<float> p = new(T.Start), q = p, r = p, s = p;
                for (; i <= length - 4 * lanes; i += 4 * lanes)
                {
                    p = T.Add(p, Vector.Load(from + i));
                    q = T.Add(q, Vector.Load(from + i + lanes));
                    r = T.Add(r, Vector.Load(from + i + 2 * lanes));
                    s = T.Add(s, Vector.Load(from + i + 3 * lanes));
                }
                Vector<float> all = T.Join(T.Join(p, q), T.Join(r, s));
                for (var k = 0; k < lanes; k++) row = T.Join(row, all[k]);
            }
            for (; i < length;)
            {
                var part = T.Start;
                for (var end = Math.Min(length, i + Part); i < end; i++) part = T.Add(part, from[i * step]);
                row = T.Join(row, part);
            }
            result = T.Join(result, row);
        }
        return result;
    }
}
