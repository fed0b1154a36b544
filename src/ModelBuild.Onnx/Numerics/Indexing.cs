using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ModelBuild.Onnx;

/// <summary>Positions of elements in row-major order.</summary>
internal static class Indexing
{
    /// <summary>The largest number of elements that a computed tensor may have.</summary>
    public const long MaxElements = 1L << 28;

    /// <summary>The number of elements of a shape, which must be within <see cref="MaxElements"/>.</summary>
    [OverloadResolutionPriority(1)]
    public static int Length(ReadOnlySpan<long> shape)
    {
        var n = Tensor.Count(shape);
        WorkBudget.Charge(n);
        return n <= MaxElements ? (int)n : throw new InvalidOperationException($"a tensor of {n} elements is beyond the limit of {MaxElements}");
    }

    /// <summary>The number of elements of a shape, which must be within <see cref="MaxElements"/>.</summary>
    public static int Length(ImmutableArray<long> shape) => Length(shape.AsSpan());

    /// <summary>How far apart neighbours along each axis lie.</summary>
    public static long[] Strides(ReadOnlySpan<long> shape)
    {
        var strides = new long[shape.Length];
        long n = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = n;
            n *= shape[i];
        }
        return strides;
    }

    /// <summary>For every element of a shape, in order, the sum of <paramref name="offset"/> and its coordinates times <paramref name="strides"/>.</summary>
    public static int[] Positions(ReadOnlySpan<long> shape, ReadOnlySpan<long> strides, long offset = 0)
    {
        var result = new int[Length(shape)];
        if (result.Length == 0)
            return result;
        if (shape.Length == 0)
        {
            result[0] = (int)offset;
            return result;
        }
        var coordinates = new long[shape.Length];
        var inner = (int)shape[^1];
        var step = strides[^1];
        var at = offset;
        for (var i = 0; i < result.Length; i += inner)
        {
            for (var k = 0; k < inner; k++)
                result[i + k] = (int)(at + k * step);
            for (var d = shape.Length - 2; d >= 0; d--)
            {
                at += strides[d];
                if (++coordinates[d] < shape[d])
                    break;
                at -= coordinates[d] * strides[d];
                coordinates[d] = 0;
            }
        }
        return result;
    }

    /// <summary>For every element of <paramref name="to"/> the element of <paramref name="from"/> that stands there, or null where the shapes are the
    /// same.</summary>
    public static int[]? Broadcast(ReadOnlySpan<long> from, ReadOnlySpan<long> to)
    {
        if (from.SequenceEqual(to))
            return null;
        var own = Strides(from);
        var strides = new long[to.Length];
        for (var i = 0; i < from.Length; i++)
        {
            var at = to.Length - from.Length + i;
            if (at < 0 || from[i] != 1 && from[i] != to[at])
                throw new InvalidOperationException($"[{string.Join(',', from.ToArray())}] cannot be broadcast to [{string.Join(',', to.ToArray())}]");
            strides[at] = from[i] == 1 ? 0 : own[i];
        }
        return Positions(to, strides);
    }

    /// <summary>The shape that shapes broadcast to together.</summary>
    public static ImmutableArray<long> BroadcastShape(params ReadOnlySpan<ImmutableArray<long>> shapes)
    {
        var rank = 0;
        foreach (var s in shapes)
            rank = Math.Max(rank, s.Length);
        var result = new long[rank];
        result.AsSpan().Fill(1);
        foreach (var s in shapes)
            for (var i = 0; i < s.Length; i++)
            {
                ref var d = ref result[rank - s.Length + i];
                if (d == 1)
                    d = s[i];
                else if (s[i] != 1 && s[i] != d)
                    throw new InvalidOperationException($"the shapes {string.Join(" and ", shapes.ToArray().Select(x => $"[{string.Join(',', x)}]"))} "
                        + $"cannot be broadcast together");
            }
        return ImmutableCollectionsMarshal.AsImmutableArray(result);
    }

    /// <summary>An axis counted from the front; negative ones count from the back.</summary>
    public static int Axis(long axis, int rank) => axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis)
        : throw new InvalidOperationException($"axis {axis} does not exist in {rank} dimensions");

    /// <summary>The product of the dimensions from <paramref name="start"/> up to <paramref name="end"/>.</summary>
    public static long Product(ReadOnlySpan<long> shape, int start, int end)
    {
        long n = 1;
        for (var i = start; i < end; i++)
            n *= shape[i];
        return n;
    }
}
