using System.Collections.Immutable;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Operators that only look at a value in another way: no kernel runs for them where the next one can read the view.</summary>
internal static class ViewLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        new("Identity", new(static (l, n) => l.Place(n.Output, l.Read(n.Inputs[0]!)))),
        new("Dropout", new(Dropout, 1, 2)),
        new("Reshape", new(Reshape, 1)),
        new("Flatten", new(Reshape)),
        new("Squeeze", new(Reshape, 1)),
        new("Unsqueeze", new(Reshape, 1)),
        new("Transpose", new(Transpose)),
        new("Expand", new(Expand, 1)),
        new("Slice", new(Slice, 1, 2, 3, 4)),
        new("Split", new(Split, 1)),
        new("Concat", new(Concat)),
        new("DepthToSpace", new(DepthToSpace)),
        new("SpaceToDepth", new(SpaceToDepth)),
    ];

    /// <summary>The dimensions of a view in another order.</summary>
    public static TensorView Permuted(TensorView view, ReadOnlySpan<int> permutation)
    {
        var extents = new Dimension[view.Rank];
        var strides = new Dimension[view.Rank];
        var back = new int[view.Rank];
        var identity = true;
        for (var d = 0; d < view.Rank; d++)
        {
            (extents[d], strides[d]) = (view.Extents[permutation[d]], view.Strides[permutation[d]]);
            back[permutation[d]] = d;
            identity &= permutation[d] == d;
        }
        return identity ? view : view with { Extents = [.. extents], Strides = [.. strides], Order = [.. view.Order.Select(d => back[d])], Border = null };
    }

    /// <summary>A view with one more dimension, of one element.</summary>
    public static TensorView Inserted(TensorView view, int axis) => view with
    {
        Extents = view.Extents.Insert(axis, 1), Strides = view.Strides.Insert(axis, 0),
        Order = [axis, .. view.Order.Select(d => d >= axis ? d + 1 : d)], Border = null,
    };

    /// <summary>A view without a dimension, which has one element.</summary>
    public static TensorView Removed(TensorView view, int axis) => view with
    {
        Extents = view.Extents.RemoveAt(axis), Strides = view.Strides.RemoveAt(axis),
        Order = [.. view.Order.Where(d => d != axis).Select(d => d > axis ? d - 1 : d)], Border = null,
    };

    /// <summary>A part of a view: elements from a start on, each so many steps.</summary>
    public static TensorView Sliced(TensorView view, int axis, Dimension start, Dimension extent, long step = 1) => view with
    {
        Offset = view.Offset + start * view.Strides[axis], Extents = view.Extents.SetItem(axis, extent),
        Strides = view.Strides.SetItem(axis, view.Strides[axis] * step),
        // Channels of an image keep what lies around it.
        Border = axis == 1 ? view.Border : null,
    };

    private static void Dropout(Lowering lowering, Node node)
    {
        if (node.Outputs.Count > 1 && !node.Outputs[1].IsUnused || node.Input(2) is { } training && lowering.ConstantOf(training)?.Span<byte>()[0] != 0)
            throw Lowering.Unsupported(node);
        lowering.Place(node.Output, lowering.Read(node.Inputs[0]!));
    }

    /// <summary>Reshape and its like: the same elements in row-major order under other dimensions.</summary>
    private static void Reshape(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var shape = lowering.ShapeOf(node.Output);
        // Rows of images that only dense layers read stay as they lie: the layers' weights are reordered instead.
        if (shape.Length == 2 && x.Rank == 4 && shape[0] == x.Extents[0] && x.Extents.Skip(1).All(static e => e.IsConstant) && x.IsDense([0, 2, 3, 1])
            && x.Extents[1] != 1 && (x.Extents[2] != 1 || x.Extents[3] != 1) && !node.Output.IsGraphOutput && node.Output.Uses.All(u => u.Index == 0
                && (IsProduct(u.Node) && lowering.ConstantOf(u.Node.Inputs[1]) is { ElementType: ElementType.Float, Rank: 2 }
                    || u.Node.Is("DequantizeLinear") && !u.Node.Output.IsGraphOutput
                        && u.Node.Output.Uses.All(r => r.Index == 0 && IsProduct(r.Node) && IntegerDenseLowering.Takes(lowering, r.Node)))))
        {
            lowering.PlaceFlattened(node.Output, x);
            return;
        }
        lowering.Place(node.Output, Reshaped(lowering, node, x, shape));
    }

    private static bool IsProduct(Node node) => node.Is("MatMul") || node.Is("Gemm") && node.Int("transA") == 0;

    /// <summary>A view under other dimensions; copied into row-major order where dimensions are joined or cut that do not lie side by side.</summary>
    public static TensorView Reshaped(Lowering lowering, Node node, TensorView x, ImmutableArray<Dimension> shape)
    {
        if (Redimensioned(x, shape) is { } view)
            return view;
        x = lowering.RowMajor(x, node);
        return TensorView.Dense(x.Base, shape, [.. Enumerable.Range(0, shape.Length)], x.Type) with { Offset = x.Offset };
    }

    /// <summary>The strides under other dimensions, found group by group: dimensions of both shapes whose products are equal. Null where a group does not
    /// lie in one piece.</summary>
    private static TensorView? Redimensioned(TensorView x, ImmutableArray<Dimension> shape)
    {
        if (x.Elements == 0)
            return null;
        var strides = new Dimension[shape.Length];
        var order = new List<(int Place, int To)>();
        Array.Fill(strides, 0);
        int from = 0, to = 0;
        while (from < x.Rank || to < shape.Length)
        {
            int firstFrom = from, firstTo = to;
            var left = from < x.Rank ? x.Extents[from++] : 1;
            var right = to < shape.Length ? shape[to++] : 1;
            while (left != right)
            {
                // Whichever product can still grow towards the other.
                if (from < x.Rank && (to >= shape.Length || Smaller(left, right)))
                    left *= x.Extents[from++];
                else if (to < shape.Length)
                    right *= shape[to++];
                else
                    return null;
            }
            // The group's dimensions of more than one element must lie in one piece, in this order.
            Dimension? next = null, last = null;
            for (var d = from - 1; d >= firstFrom; d--)
            {
                if (x.Extents[d] == 1)
                    continue;
                if (next is { } n && x.Strides[d] != n)
                    return null;
                last ??= x.Strides[d];
                next = x.Strides[d] * x.Extents[d];
            }
            var stride = last ?? 0;
            var place = firstFrom < x.Rank ? x.Order.IndexOf(firstFrom) : x.Rank;
            for (var d = to - 1; d >= firstTo; d--)
            {
                strides[d] = shape[d] == 1 ? 0 : stride;
                stride *= shape[d];
            }
            for (var d = firstTo; d < to; d++)
                order.Add((place, d));
        }
        return x with { Extents = shape, Strides = [.. strides], Order = [.. order.OrderBy(o => o.Place).ThenBy(o => o.To).Select(o => o.To)], Border = null };
    }

    private static bool Smaller(Dimension a, Dimension b) => a.IsConstant && b.IsConstant ? a.Value < b.Value : a.IsConstant;

    private static void Transpose(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        int[] permutation = [.. node.Ints("perm")?.Select(p => (int)p) ?? Enumerable.Range(0, x.Rank).Reverse()];
        lowering.Place(node.Output, Permuted(x, permutation));
    }

    private static void Expand(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var shape = lowering.ShapeOf(node.Output);
        while (x.Rank < shape.Length)
            x = Inserted(x, 0);
        var strides = x.Strides.ToBuilder();
        for (var d = 0; d < shape.Length; d++)
        {
            if (lowering.IsSame(x.Extents[d], shape[d]))
                continue;
            if (x.Extents[d] != 1)
                throw Lowering.Unsupported(node);
            strides[d] = 0;
        }
        lowering.Place(node.Output, x with { Extents = shape, Strides = strides.ToImmutable(), Border = null });
    }

    private static void Slice(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var shape = lowering.ShapeOf(node.Output);
        var old = node.Ints("starts") is not null;
        var starts = old ? node.Ints("starts")! : lowering.Integers(node, 1)!;
        var axes = (old ? node.Ints("axes") : lowering.Integers(node, 3)) ?? [.. Enumerable.Range(0, starts.Length).Select(static i => (long)i)];
        var steps = (old ? null : lowering.Integers(node, 4)) ?? [.. starts.Select(static _ => 1L)];
        for (var i = 0; i < starts.Length; i++)
        {
            var axis = (int)(axes[i] < 0 ? axes[i] + x.Rank : axes[i]);
            var extent = x.Extents[axis];
            Dimension start;
            if (extent.IsConstant)
            {
                var from = starts[i] < 0 ? starts[i] + extent.Value : starts[i];
                start = steps[i] > 0 ? Math.Clamp(from, 0, extent.Value) : Math.Clamp(from, 0, Math.Max(0, extent.Value - 1));
            }
            else if (starts[i] == 0)
                start = 0;
            else if (steps[i] == -1 && starts[i] == -1)
                start = extent - 1;
            else
                // Whether the start lies within is not known for all sizes.
                throw new NotLoweredException($"'{node.DisplayName}' (Slice): where it starts depends on a size", node);
            x = Sliced(x, axis, start, shape[axis], steps[i]);
        }
        lowering.Place(node.Output, x);
    }

    private static void Split(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var axis = (int)node.Int("axis");
        if (axis < 0)
            axis += x.Rank;
        Dimension start = 0;
        foreach (var output in node.Outputs)
        {
            var extent = lowering.ShapeOf(output)[axis];
            lowering.Place(output, Sliced(x, axis, start, extent));
            start += extent;
        }
    }

    private static void Concat(Lowering lowering, Node node)
    {
        if (IntegerJoinLowering.TryConcat(lowering, node))
            return;
        TensorView[] parts = [.. node.Inputs.Select(i => lowering.Read(i!))];
        var axis = (int)node.Int("axis");
        if (axis < 0)
            axis += parts[0].Rank;
        var whole = lowering.Images.Concatenation(node) ?? lowering.WriteLike(node.Output, parts.FirstOrDefault(p => p.Elements != 0) ?? parts[0]);
        Dimension start = 0;
        foreach (var part in parts)
        {
            var slice = Sliced(whole, axis, start, part.Extents[axis]);
            start += part.Extents[axis];
            // Who could write it into its place did.
            if (part.Elements != 0 && !(part.Base.Equals(slice.Base) && part.Offset == slice.Offset && part.Strides.SequenceEqual(slice.Strides)))
                lowering.CopyTo(slice with { Border = null }, part, node.DisplayName);
        }
    }

    private static void DepthToSpace(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var b = node.Int("blocksize");
        var (n, c, h, w) = (x.Extents[0], x.Extents[1] / (b * b), x.Extents[2], x.Extents[3]);
        var columnFirst = node.String("mode", "DCR") == "CRD";
        var cut = Reshaped(lowering, node, x, columnFirst ? [n, c, b, b, h, w] : [n, b, b, c, h, w]);
        var moved = Permuted(cut, columnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
        lowering.Place(node.Output, Reshaped(lowering, node, moved, lowering.ShapeOf(node.Output)));
    }

    private static void SpaceToDepth(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var b = node.Int("blocksize");
        var (n, c, h, w) = (x.Extents[0], x.Extents[1], x.Extents[2] / b, x.Extents[3] / b);
        var cut = Reshaped(lowering, node, x, [n, c, h, b, w, b]);
        lowering.Place(node.Output, Reshaped(lowering, node, Permuted(cut, [0, 3, 5, 1, 2, 4]), lowering.ShapeOf(node.Output)));
    }
}
