using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>The loops of a kernel that goes over views element by element: dimensions that lie alike in all operands become one loop.</summary>
/// <param name="Extents">How often the loops run.</param>
/// <param name="Strides">The strides of each operand, the target first.</param>
internal sealed record Nest(Loops Extents, IReadOnlyList<Loops> Strides)
{
    /// <summary>The loops over a target and the operands that are broadcast to it.</summary>
    /// <param name="lowering">Gives expressions of sizes.</param>
    /// <param name="target">What is written: its memory order is that of the loops.</param>
    /// <param name="longestInner">Whether a long dimension becomes the innermost loop where the last one in memory is very short: for kernels to which
    /// strides are all one.</param>
    /// <param name="operands">What is read.</param>
    /// <exception cref="NotLoweredException">There are more loops than kernels have, or an operand does not fit.</exception>
    public static Nest Of(Lowering lowering, TensorView target, bool longestInner, params ReadOnlySpan<TensorView> operands)
    {
        var all = new Dimension[operands.Length + 1][];
        all[0] = [.. target.Strides];
        for (var o = 0; o < operands.Length; o++)
            all[o + 1] = Broadcast(lowering, operands[o], target);
        var loops = new List<(Dimension Extent, Dimension[] Strides)>();
        foreach (var d in target.Order)
        {
            var extent = target.Extents[d];
            if (extent == 1)
                continue;
            Dimension[] strides = [.. all.Select(s => s[d])];
            if (loops.Count > 0 && Continues(loops[^1].Strides, strides, extent))
                loops[^1] = (loops[^1].Extent * extent, strides);
            else
                loops.Add((extent, strides));
        }
        if (longestInner && loops.Count > 1 && loops[^1].Extent is { IsConstant: true, Value: < 8 })
        {
            // The one in which what is read follows itself, or else the longest.
            var longest = loops.Find(l => l.Strides.Length > 1 && l.Strides[1] == 1 && l.Extent is not { IsConstant: true, Value: < 8 });
            if (longest.Strides is null)
                longest = loops.MaxBy(l => l.Extent.IsConstant ? l.Extent.Value : 64);
            loops.Remove(longest);
            loops.Add(longest);
        }
        if (loops.Count > Loops.Count)
            throw new NotLoweredException($"a tensor of {target.Rank} dimensions lies in more than {Loops.Count} pieces");
        return new(Pad(lowering, [.. loops.Select(l => l.Extent)], 1),
            [.. Enumerable.Range(0, all.Length).Select(o => Pad(lowering, [.. loops.Select(l => l.Strides[o])], 0))]);
    }

    private static bool Continues(Dimension[] outer, Dimension[] inner, Dimension extent)
    {
        for (var o = 0; o < outer.Length; o++)
        {
            if (outer[o] != inner[o] * extent)
                return false;
        }
        return true;
    }

    private static Dimension[] Broadcast(Lowering lowering, TensorView view, TensorView target)
    {
        var missing = target.Rank - view.Rank;
        var strides = new Dimension[target.Rank];
        for (var d = 0; d < target.Rank; d++)
        {
            if (d < missing || view.Extents[d - missing] == 1)
                strides[d] = 0;
            else if (lowering.IsSame(view.Extents[d - missing], target.Extents[d]))
                strides[d] = view.Strides[d - missing];
            else
                throw new NotLoweredException($"a dimension of {view.Extents[d - missing]} is not known to fit one of {target.Extents[d]}");
        }
        return strides;
    }

    private static Loops Pad(Lowering lowering, ReadOnlySpan<Dimension> inner, long outside)
    {
        Span<Size> all = stackalloc Size[Loops.Count];
        for (var i = 0; i < Loops.Count; i++)
            all[i] = lowering.Size(i < Loops.Count - inner.Length ? outside : inner[i - (Loops.Count - inner.Length)]);
        return new Loops { L0 = all[0], L1 = all[1], L2 = all[2], L3 = all[3], L4 = all[4], L5 = all[5] };
    }
}
