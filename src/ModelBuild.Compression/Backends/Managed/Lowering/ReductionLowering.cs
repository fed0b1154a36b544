using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Reductions over dimensions, and what is made of them.</summary>
internal static class ReductionLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        Of("ReduceSum", Reduction.Sum), Of("ReduceMean", Reduction.Mean), Of("ReduceMax", Reduction.Maximum), Of("ReduceMin", Reduction.Minimum),
        Of("ReduceProd", Reduction.Product), Of("ReduceL1", Reduction.SumOfAbsolutes), Of("ReduceL2", Reduction.Length),
        Of("ReduceSumSquare", Reduction.SumOfSquares), Of("ReduceLogSum", Reduction.LogOfSum),
        new("ReduceLogSumExp", new(LogSumExp, 1)),
        new("GlobalAveragePool", new(static (l, n) => Global(l, n, Reduction.Mean))),
        new("GlobalMaxPool", new(static (l, n) => Global(l, n, Reduction.Maximum))),
        new("ArgMax", new(static (l, n) => Arg(l, n, smallest: false))),
        new("ArgMin", new(static (l, n) => Arg(l, n, smallest: true))),
        new("LpNormalization", new(LpNormalization)),
    ];

    private static KeyValuePair<string, OperatorLowering> Of(string name, Reduction reduction) => new(name, new((l, n) => Lower(l, n, reduction), 1));

    private static void Lower(Lowering lowering, Node node, Reduction reduction)
    {
        var x = lowering.Read(node.Inputs[0]!);
        if (Axes(lowering, node, x.Rank) is not { } axes)
        {
            // noop_with_empty_axes: each element by itself.
            if (reduction is Reduction.Sum or Reduction.Mean or Reduction.Maximum or Reduction.Minimum or Reduction.Product)
                lowering.Place(node.Output, x);
            else
                throw Lowering.Unsupported(node);
            return;
        }
        var keep = node.Int("keepdims", 1) == 1;
        var y = Apply(lowering, node, reduction, x, axes);
        lowering.Place(node.Output, keep ? y : Without(y, axes));
    }

    /// <summary>The axes to reduce; null where there are none.</summary>
    private static int[]? Axes(Lowering lowering, Node node, int rank)
    {
        var axes = node.Ints("axes") ?? lowering.Integers(node, 1);
        if (axes is null or { Length: 0 })
            return node.Int("noop_with_empty_axes") == 1 ? null : [.. Enumerable.Range(0, rank)];
        return [.. axes.Select(a => (int)(a < 0 ? a + rank : a))];
    }

    /// <summary>A reduction whose result keeps the reduced dimensions, of one element.</summary>
    public static TensorView Apply(Lowering lowering, Node node, Reduction reduction, TensorView x, int[] axes)
    {
        if (!Reduce.Takes(reduction, x.Type))
            throw Lowering.Unsupported(node, x.Type);
        // Elements that stand still are read as many.
        if (axes.Any(a => x.Strides[a] == 0 && x.Extents[a] != 1))
            x = lowering.CopyTo(lowering.Allocate(x.Extents, x.Type), x, node.DisplayName);
        var extents = x.Extents.ToBuilder();
        foreach (var axis in axes)
            extents[axis] = 1;
        var y = lowering.Allocate(extents.ToImmutable(), x.Type, x.Order);
        // Kept dimensions as loops over y; the reduced ones of x as loops of their own.
        var kept = x;
        var reduced = x;
        for (var d = 0; d < x.Rank; d++)
        {
            if (axes.Contains(d))
                kept = kept with { Extents = kept.Extents.SetItem(d, 1), Strides = kept.Strides.SetItem(d, 0) };
            else
                reduced = reduced with { Extents = reduced.Extents.SetItem(d, 1), Strides = reduced.Strides.SetItem(d, 0) };
        }
        var outer = Nest.Of(lowering, y, longestInner: false, kept);
        var inner = Nest.Of(lowering, reduced, longestInner: false);
        lowering.Call(new ReduceArguments
        {
            Reduction = lowering.Size((long)reduction), Type = x.Type, X = lowering.Operand(x), Y = lowering.Operand(y), Kept = outer.Extents,
            KeptXStrides = outer.Strides[1], YStrides = outer.Strides[0], Reduced = inner.Extents, ReducedXStrides = inner.Strides[0],
        }, node.DisplayName);
        return y;
    }

    private static TensorView Without(TensorView view, int[] axes)
    {
        foreach (var axis in axes.OrderDescending())
            view = ViewLowering.Removed(view, axis);
        return view;
    }

    // log(sum(exp(x - max))) + max: exp of large numbers overflows.
    private static void LogSumExp(Lowering lowering, Node node)
    {
        var x = lowering.Read(node, 0);
        if (Axes(lowering, node, x.Rank) is not { } axes)
        {
            lowering.Place(node.Output, x);
            return;
        }
        var most = Apply(lowering, node, Reduction.Maximum, x, axes);
        var shifted = lowering.Allocate(x.Extents, x.Type, x.Order);
        BinaryLowering.Apply(lowering, node, BinaryOperation.Subtract, x, most, shifted);
        var y = Apply(lowering, node, Reduction.LogOfSum, UnaryLowering.Apply(lowering, node, shifted, UnaryOperation.Exp), axes);
        BinaryLowering.Apply(lowering, node, BinaryOperation.Add, y, most, y);
        lowering.Place(node.Output, node.Int("keepdims", 1) == 1 ? y : Without(y, axes));
    }

    private static void Global(Lowering lowering, Node node, Reduction reduction)
    {
        if (reduction == Reduction.Mean && IntegerJoinLowering.TryAverage(lowering, node))
            return;
        var x = lowering.Read(node, 0);
        lowering.Place(node.Output, Apply(lowering, node, reduction, x, [.. Enumerable.Range(2, x.Rank - 2)]));
    }

    private static void Arg(Lowering lowering, Node node, bool smallest)
    {
        var x = lowering.Read(node.Inputs[0]!);
        if (x.Type is not (ModelElementType.Float or ModelElementType.Int32 or ModelElementType.Int64))
            throw Lowering.Unsupported(node, x.Type);
        var axis = (int)node.Int("axis");
        if (axis < 0)
            axis += x.Rank;
        var y = lowering.Allocate(x.Extents.SetItem(axis, 1), ModelElementType.Int64, x.Order);
        var kept = x with { Extents = x.Extents.SetItem(axis, 1), Strides = x.Strides.SetItem(axis, 0) };
        var nest = Nest.Of(lowering, y, longestInner: false, kept);
        lowering.Call(new ArgReduceArguments
        {
            Type = x.Type, X = lowering.Operand(x), Y = lowering.Operand(y), Kept = nest.Extents, XStrides = nest.Strides[1], YStrides = nest.Strides[0],
            Count = lowering.Size(x.Extents[axis]), Stride = lowering.Size(x.Strides[axis]), Smallest = lowering.Size(smallest ? 1 : 0),
            Last = lowering.Size(node.Int("select_last_index")),
        }, node.DisplayName);
        lowering.Place(node.Output, node.Int("keepdims", 1) == 1 ? y : ViewLowering.Removed(y, axis));
    }

    private static void LpNormalization(Lowering lowering, Node node)
    {
        var x = lowering.Read(node, 0);
        var axis = (int)node.Int("axis", -1);
        var sum = Apply(lowering, node, node.Int("p", 2) == 1 ? Reduction.SumOfAbsolutes : Reduction.Length, x, [axis < 0 ? axis + x.Rank : axis]);
        // A row of zeros stays one.
        UnaryLowering.Apply(lowering, node, sum, sum, UnaryOperation.Clamp, 1e-30f, float.PositiveInfinity);
        BinaryLowering.Apply(lowering, node, BinaryOperation.Divide, x, sum, lowering.WriteLike(node.Output, x));
    }
}
