using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Reads at indices, sizes as values, and what repeats or surrounds a value.</summary>
internal static class IndexingLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        new("Gather", new(Gather)),
        new("GatherElements", new(GatherElements)),
        new("Shape", new(Shape, 0)),
        new("Size", new(Shape, 0)),
        new("Range", new(Range, 0, 1, 2)),
        new("ConstantOfShape", new(ConstantOfShape, 0)),
        new("Pad", new(Pad, 1, 3)),
        new("Tile", new(Tile, 1)),
        new("Trilu", new(Trilu, 1)),
    ];

    private static void Gather(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var axis = (int)node.Int("axis");
        if (axis < 0)
            axis += x.Rank;
        var shape = lowering.ShapeOf(node.Output);
        // A single known index is a view.
        if (lowering.ConstantOf(node.Inputs[1]) is { } known && known.Length == 1 && x.Extents[axis].IsConstant)
        {
            var index = Numbers.Integers(known)[0];
            var at = index < 0 ? index + x.Extents[axis].Value : index;
            if (at < 0 || at >= x.Extents[axis].Value)
                throw Lowering.Unsupported(node);
            var one = ViewLowering.Sliced(x, axis, at, 1);
            if (known.Rank == 0)
                one = ViewLowering.Removed(one, axis);
            for (var r = 1; r < known.Rank; r++)
                one = ViewLowering.Inserted(one, axis);
            lowering.Place(node.Output, one);
            return;
        }
        var indices = Indices(lowering, node);
        x = lowering.RowMajor(x, node);
        var y = lowering.Write(node.Output);
        Take(lowering, node, x, axis, indices, y, indices.Elements);
    }

    private static TensorView Indices(Lowering lowering, Node node)
    {
        var indices = lowering.RowMajor(lowering.Read(node.Inputs[1]!), node);
        return indices.Type is ModelElementType.Int64 or ModelElementType.Int32 ? indices : throw Lowering.Unsupported(node);
    }

    /// <summary>y = x at indices along an axis; all three in row-major order.</summary>
    public static void Take(Lowering lowering, Node node, TensorView x, int axis, TensorView indices, TensorView y, Dimension count)
    {
        var inner = TensorView.Product(x.Extents.Skip(axis + 1));
        lowering.Call(new GatherArguments
        {
            Type = x.Type, X = lowering.Operand(x), IndexType = indices.Type, Indices = lowering.Operand(indices), Y = lowering.Operand(y),
            Outer = lowering.Size(TensorView.Product(x.Extents.Take(axis))), Count = lowering.Size(count), Inner = lowering.Size(inner),
            Axis = lowering.Size(x.Extents[axis]), XOuter = lowering.Size(inner * x.Extents[axis]), XAxis = lowering.Size(inner),
            YOuter = lowering.Size(inner * count), YAxis = lowering.Size(inner),
        }, node.DisplayName);
    }

    private static void GatherElements(Lowering lowering, Node node)
    {
        var (x, indices) = (lowering.Read(node.Inputs[0]!), Indices(lowering, node));
        var axis = (int)node.Int("axis");
        if (axis < 0)
            axis += x.Rank;
        TakeElements(lowering, node, x, indices, axis, lowering.Write(node.Output));
    }

    /// <summary>y = x at an index of its own along an axis for each element.</summary>
    public static void TakeElements(Lowering lowering, Node node, TensorView x, TensorView indices, int axis, TensorView y)
    {
        // Other dimensions of x may be longer than those of the indices; never shorter, which no size proves: only known ones are taken.
        for (var d = 0; d < x.Rank; d++)
        {
            if (d != axis && x.Extents[d] != y.Extents[d] && !(x.Extents[d].IsConstant && y.Extents[d].IsConstant && x.Extents[d].Value >= y.Extents[d].Value))
                throw Lowering.Unsupported(node);
        }
        var moving = x with { Extents = y.Extents, Strides = x.Strides.SetItem(axis, 0) };
        var nest = Nest.Of(lowering, y, longestInner: false, moving, indices);
        lowering.Call(new GatherElementsArguments
        {
            Type = x.Type, IndexType = indices.Type, X = lowering.Operand(x), Indices = lowering.Operand(indices), Y = lowering.Operand(y),
                Extents = nest.Extents,
            XStrides = nest.Strides[1], IndexStrides = nest.Strides[2], YStrides = nest.Strides[0], Axis = lowering.Size(x.Extents[axis]),
            AxisStride = lowering.Size(x.Strides[axis]),
        }, node.DisplayName);
    }

    /// <summary>Sizes that a kernel reads as values.</summary>
    private static void Shape(Lowering lowering, Node node)
    {
        if (lowering.ElementsOf(node.Output) is not { Elements.Length: <= SizesArguments.Most } sizes || sizes.Elements.Any(static e => e.IsUnknown)
            || lowering.TypeOf(node.Output) != ModelElementType.Int64)
            throw Lowering.Unsupported(node);
        var y = lowering.Write(node.Output);
        Size At(int i) => lowering.Size(i < sizes.Elements.Length ? sizes.Elements[i] : 0);
        lowering.Call(new SizesArguments
        {
            Y = lowering.Operand(y), Count = lowering.Size(sizes.Elements.Length), S0 = At(0), S1 = At(1), S2 = At(2), S3 = At(3), S4 = At(4), S5 = At(5),
                S6 = At(6),
            S7 = At(7),
        }, node.DisplayName);
    }

    private static void Range(Lowering lowering, Node node)
    {
        if (lowering.TypeOf(node.Output) is not (ModelElementType.Int64 or ModelElementType.Int32) || Known(lowering, node.Inputs[0]!) is not { } start
            || Known(lowering, node.Inputs[2]!) is not { } step)
            throw Lowering.Unsupported(node);
        var y = lowering.Write(node.Output);
        lowering.Call(new SequenceArguments
        {
            Type = y.Type, Y = lowering.Operand(y), Count = lowering.Size(y.Extents[0]), Start = lowering.Size(start), Step = lowering.Size(step),
        }, node.DisplayName);
    }

    private static Dimension? Known(Lowering lowering, Value value) => lowering.ConstantOf(value) is { } constant ? Numbers.Integers(constant)[0]
        : lowering.ElementsOf(value) is { Elements: [{ IsUnknown: false } only] } ? only : null;

    /// <summary>What lies on one side of a diagonal; zeros on the other.</summary>
    private static void Trilu(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var diagonal = lowering.Integers(node, 1)?[0] ?? 0;
        // Rows counted from the diagonal: an element of the upper part has a column that is no smaller.
        TensorView Places(Dimension count, long start)
        {
            var places = lowering.Allocate([count], ModelElementType.Int64);
            lowering.Call(new SequenceArguments
            {
                Type = ModelElementType.Int64, Y = lowering.Operand(places), Count = lowering.Size(count), Start = lowering.Size(start),
                    Step = lowering.Size(1),
            }, node.DisplayName);
            return places;
        }
        var (rows, columns) = (ViewLowering.Inserted(Places(x.Extents[^2], diagonal), 1), Places(x.Extents[^1], 0));
        var kept = lowering.Allocate([x.Extents[^2], x.Extents[^1]], ModelElementType.Bool);
        var upper = node.Int("upper", 1) == 1;
        MapLowering.Compare(lowering, node, Comparison.LessOrEqual, upper ? rows : columns, upper ? columns : rows, kept);
        MapLowering.Choose(lowering, node, kept, x, lowering.Constant(Zero(x.Type, node)), lowering.WriteLike(node.Output, x));
    }

    private static void ConstantOfShape(Lowering lowering, Node node)
    {
        var value = node.Attributes.TryGetValue("value", out var attribute) && attribute.Value is Tensor t ? t : Tensor.Scalar(0f);
        var one = lowering.Constant(value.Reshape());
        var shape = lowering.ShapeOf(node.Output);
        lowering.Place(node.Output, one with { Extents = shape, Strides = [.. shape.Select(static _ => (Dimension)0)], Order = [.. Enumerable.Range(0,
            shape.Length)] });
    }

    private static void Pad(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var pads = node.Ints("pads") ?? lowering.Integers(node, 1)!;
        var axes = lowering.Integers(node, 3) ?? [.. Enumerable.Range(0, x.Rank).Select(static i => (long)i)];
        var (before, after) = (new long[x.Rank], new long[x.Rank]);
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = axes[i] < 0 ? axes[i] + x.Rank : axes[i];
            (before[axis], after[axis]) = (pads[i], pads[i + axes.Length]);
        }
        // Negative padding crops.
        for (var d = 0; d < x.Rank; d++)
        {
            if (before[d] >= 0 && after[d] >= 0)
                continue;
            x = ViewLowering.Sliced(x, d, Math.Max(0, -before[d]), x.Extents[d] + (Math.Min(0, before[d]) + Math.Min(0, after[d])));
            (before[d], after[d]) = (Math.Max(0, before[d]), Math.Max(0, after[d]));
        }
        var mode = node.String("mode", "constant");
        if (mode != "constant")
        {
            lowering.Place(node.Output, Mirrored(lowering, node, x, before, after, mode));
            return;
        }
        var y = lowering.WriteLike(node.Output, x);
        var fill = node.Input(2) is { } given ? lowering.Read(given) : lowering.Constant(Zero(x.Type, node));
        var inside = y;
        for (var d = 0; d < x.Rank; d++)
        {
            // The border of each dimension, within what earlier ones left: nothing is written twice.
            foreach (var (start, count) in new[] { ((Dimension)0, before[d]), (x.Extents[d] + before[d], after[d]) })
            {
                if (count > 0)
                    lowering.CopyTo(ViewLowering.Sliced(inside, d, start, count) with { Border = null }, Broadcast(fill, ViewLowering.Sliced(inside, d,
                        start, count)),
                        node.DisplayName);
            }
            inside = ViewLowering.Sliced(inside, d, before[d], x.Extents[d]);
        }
        lowering.CopyTo(inside with { Border = null }, x, node.DisplayName);
    }

    private static TensorView Broadcast(TensorView scalar, TensorView shape) => scalar with
    {
        Extents = shape.Extents, Strides = [.. shape.Extents.Select(static _ => (Dimension)0)], Order = shape.Order, Border = null,
    };

    private static Tensor Zero(ModelElementType type, Node node) => type switch
    {
        ModelElementType.Float => Tensor.Scalar(0f),
        ModelElementType.Int32 => Tensor.Scalar(0),
        ModelElementType.Int64 => Tensor.Scalar(0L),
        ModelElementType.UInt8 => Tensor.Scalar((byte)0),
        ModelElementType.Int8 => Tensor.Scalar((sbyte)0),
        ModelElementType.Bool => Tensor.Scalar(false),
        _ => throw Lowering.Unsupported(node, type),
    };

    /// <summary>What reflects, repeats the edge, or wraps around. Each axis is three copies, or a gather at known places where more is added than there
    /// is.</summary>
    private static TensorView Mirrored(Lowering lowering, Node node, TensorView x, long[] before, long[] after, string mode)
    {
        for (var d = 0; d < x.Rank; d++)
        {
            if (before[d] == 0 && after[d] == 0)
                continue;
            var least = mode switch
            {
                "edge" => 1,
                "wrap" => Math.Max(before[d], after[d]),
                _ => Math.Max(before[d], after[d]) + 1,
            };
            if (!x.Extents[d].IsConstant || x.Extents[d].Value >= least)
            {
                lowering.RequireAtLeast(x.Extents[d], least, node);
                x = Extended(lowering, node, x, d, before[d], after[d], mode);
                continue;
            }
            var length = x.Extents[d].Value;
            var places = new long[before[d] + length + after[d]];
            for (var i = 0; i < places.Length; i++)
            {
                var at = i - before[d];
                places[i] = mode switch
                {
                    "edge" => Math.Clamp(at, 0, length - 1),
                    "wrap" => (at % length + length) % length,
                    _ => length == 1 ? 0 : (at % (2 * length - 2) + 2 * length - 2) % (2 * length - 2) is var m && m < length ? m : 2 * length - 2 - m,
                };
            }
            x = lowering.RowMajor(x, node);
            var y = lowering.Allocate(x.Extents.SetItem(d, places.Length), x.Type);
            Take(lowering, node, x, d, lowering.Constant(Tensor.Vector(places)), y, places.Length);
            x = y;
        }
        return x;
    }

    private static TensorView Extended(Lowering lowering, Node node, TensorView x, int axis, long before, long after, string mode)
    {
        var length = x.Extents[axis];
        var y = lowering.Allocate(x.Extents.SetItem(axis, length + (before + after)), x.Type, x.Order);
        // The first element that is read on either side, and from one to the next.
        var (first, last, step) = mode switch
        {
            "edge" => ((Dimension)0, length - 1, 0),
            "wrap" => (length - before, (Dimension)0, 1),
            _ => ((Dimension)before, length - 2, -1),
        };
        Copy(0, before, first, step);
        Copy(before, length, 0, 1);
        Copy(length + before, after, last, step);
        return y;

        void Copy(Dimension to, Dimension count, Dimension from, int each)
        {
            if (count != 0)
                lowering.CopyTo(ViewLowering.Sliced(y, axis, to, count), ViewLowering.Sliced(x, axis, from, count, each) with { Border = null },
                    node.DisplayName);
        }
    }

    private static void Tile(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var repeats = lowering.Integers(node, 1)!;
        // [d0, d1] repeated r0, r1 times is [r0, d0, r1, d1] where x stands still along r0 and r1.
        var extents = ImmutableArray.CreateBuilder<Dimension>(2 * x.Rank);
        var strides = ImmutableArray.CreateBuilder<Dimension>(2 * x.Rank);
        for (var d = 0; d < x.Rank; d++)
        {
            extents.Add(repeats[d]);
            strides.Add(0);
            extents.Add(x.Extents[d]);
            strides.Add(x.Strides[d]);
        }
        var spread = x with { Extents = extents.MoveToImmutable(), Strides = strides.MoveToImmutable(), Order = [.. Enumerable.Range(0, 2 * x.Rank)],
            Border = null };
        lowering.Place(node.Output, ViewLowering.Reshaped(lowering, node, spread, lowering.ShapeOf(node.Output)));
    }
}
