using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>
/// Where axes go when the same elements, in the same order, are given another shape: each axis is a run of digits of an element's number, and axes with digits
/// in common are linked.
/// </summary>
internal static class ReshapeAxes
{
    /// <summary>Neighbouring axes of both shapes that hold the same elements.</summary>
    public sealed record Block(ImmutableArray<int> From, ImmutableArray<int> To);

    public static void State(AxesContext context)
    {
        var (from, to) = (context.Shape(0), context.OutputShape(0));
        if (from.IsDefault || to.IsDefault)
            return;
        var known = from.Concat(to).All(static d => DimensionFactors.Of(d) is not null);
        foreach (var block in Blocks(from, to))
            Link(context, from, to, block);
        // A single sample in front stays a sample.
        for (var i = 0; i < Math.Min(from.Length, to.Length) && from[i] == to[i] && !to[i].IsUnknown; i++)
            if (to[i] == 1)
                context.Link(0, i, 0, i);
        for (var i = 0; i < to.Length; i++)
            if (to[i] == 1)
                context.Set(0, i, AxisKind.New);
            else if (known)
                context.Set(0, i, AxisKind.Mixed);
    }

    /// <summary>The smallest blocks from the front; what is left, where a size is not known, is the last one.</summary>
    public static IEnumerable<Block> Blocks(ImmutableArray<Dimension> from, ImmutableArray<Dimension> to)
    {
        // Axes of one slice hold no digits.
        int[] a = [.. Enumerable.Range(0, from.Length).Where(i => from[i] != 1)], b = [.. Enumerable.Range(0, to.Length).Where(i => to[i] != 1)];
        var (i, j) = (0, 0);
        while (i < a.Length && j < b.Length)
        {
            var (n, m) = Equal(a.AsSpan(i), from, b.AsSpan(j), to);
            yield return new([.. a.Skip(i).Take(n)], [.. b.Skip(j).Take(m)]);
            (i, j) = (i + n, j + m);
        }
    }

    /// <summary>Why the elements that are kept would be others on the two sides; null where they are the same.</summary>
    public static string? Cut(CutContext context)
    {
        foreach (var block in Blocks(context.Known.Shape(0), context.Known.OutputShape(0)))
        {
            NodeAxis[] from = [.. block.From.Select(a => NodeAxis.OfInput(0, a))], to = [.. block.To.Select(a => NodeAxis.OfOutput(0, a))];
            if (!from.Concat(to).Any(context.IsCut))
                continue;
            if (from.Concat(to).Any(a => !context.IsNumber(a)))
                return "slices are counted together with an axis whose size is open";
            if (!Numbers(context, from).SequenceEqual(Numbers(context, to)))
                return "what is kept is no whole slices of the other shape";
        }
        return null;
    }

    /// <summary>The numbers, within the block, of the elements that are kept.</summary>
    private static IEnumerable<long> Numbers(CutContext context, NodeAxis[] axes)
    {
        IEnumerable<long> numbers = [0];
        foreach (var axis in axes)
        {
            var (length, kept) = (context.Length(axis), context.Kept(axis));
            numbers = numbers.SelectMany(n => kept.Select(k => n * length + k));
        }
        return numbers;
    }

    private static (int From, int To) Equal(ReadOnlySpan<int> a, ImmutableArray<Dimension> from, ReadOnlySpan<int> b, ImmutableArray<Dimension> to)
    {
        var left = DimensionFactors.One;
        for (var n = 0; n < a.Length; n++)
        {
            if (DimensionFactors.Of(from[a[n]]) is not { } d)
                break;
            left = left.Times(d);
            var right = DimensionFactors.One;
            for (var m = 0; m < b.Length; m++)
            {
                if (DimensionFactors.Of(to[b[m]]) is not { } e)
                    break;
                right = right.Times(e);
                if (left.Equals(right))
                    return (n + 1, m + 1);
            }
        }
        return (a.Length, b.Length);
    }

    private static void Link(AxesContext context, ImmutableArray<Dimension> from, ImmutableArray<Dimension> to, Block block)
    {
        var (left, right) = (Digits(from, block.From), Digits(to, block.To));
        foreach (var (x, low, high) in left)
            foreach (var (y, start, end) in right)
            {
                if (high is null || end is null)
                {
                    // The outermost axes of a block of unknown size are one where they begin at the same digit.
                    if (x == block.From[0] && y == block.To[0] && low.Equals(start))
                        context.Link(0, x, 0, y);
                    continue;
                }
                var (bottom, top) = (low.LeastMultiple(start), high.GreatestDivisor(end));
                if (!bottom.Divides(top) || bottom.Equals(top))
                    continue;
                context.Link(AxesContext.In(0, x) with { Inner = bottom.Over(low).ToDimension(), Outer = high.Over(top).ToDimension() },
                    AxesContext.Out(0, y) with { Inner = bottom.Over(start).ToDimension(), Outer = end.Over(top).ToDimension() },
                    top.Over(bottom).ToDimension());
            }
    }

    /// <summary>Per axis, from the last on: the weight of its lowest digit, and of the digit above it where that is known.</summary>
    private static List<(int Axis, DimensionFactors Low, DimensionFactors? High)> Digits(ImmutableArray<Dimension> shape, ImmutableArray<int> axes)
    {
        var result = new List<(int, DimensionFactors, DimensionFactors?)>();
        var low = DimensionFactors.One;
        foreach (var axis in axes.Reverse())
        {
            var high = DimensionFactors.Of(shape[axis]) is { } d ? low.Times(d) : null;
            result.Add((axis, low, high));
            if (high is null)
                break;
            low = high;
        }
        return result;
    }
}
