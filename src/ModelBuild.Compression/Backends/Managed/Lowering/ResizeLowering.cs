using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Resize and Upsample: by whole factors to the nearest neighbour as a view, otherwise axis by axis with places and weights that are worked out
/// here.</summary>
internal static class ResizeLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        new("Resize", new(Lower, 1, 2, 3)),
        new("Upsample", new(Lower, 1)),
    ];

    private static void Lower(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var shape = lowering.ShapeOf(node.Output);
        var upsample = node.Is("Upsample");
        var mode = node.String("mode", "nearest");
        var transformation = upsample ? "asymmetric" : node.String("coordinate_transformation_mode", node.Graph.Model.Opset < 11 ? "asymmetric" : "half_pixel");
        var nearest = upsample || node.Graph.Model.Opset < 11 ? "floor" : node.String("nearest_mode", "round_prefer_floor");
        if (node.Int("antialias") == 1 || node.Int("exclude_outside") == 1 || node.String("keep_aspect_ratio_policy", "stretch") != "stretch"
            || transformation == "tf_crop_and_resize" || mode is not ("nearest" or "linear" or "cubic"))
            throw Lowering.Unsupported(node);
        var scales = Scales(lowering, node, x.Rank);
        for (var d = 0; d < x.Rank; d++)
        {
            if (x.Extents[d] == shape[d] && (scales is null || scales[d] == 1))
                continue;
            if (Factor(x.Extents[d], shape[d]) is { } factor && mode == "nearest" && IsRepetition(transformation, nearest, factor))
                x = Repeated(lowering, node, x, d, factor);
            else
                x = Along(lowering, node, x, d, shape[d], scales?[d], mode, transformation, nearest);
        }
        if (Images.IsImage(x) && x.Rank == 4)
        {
            // Into the place where its readers want it.
            var y = lowering.Images.Write(node.Output, node);
            lowering.CopyTo(y, x, node.DisplayName);
        }
        else
            lowering.Place(node.Output, x);
    }

    private static double[]? Scales(Lowering lowering, Node node, int rank)
    {
        var index = node.Is("Upsample") || node.Graph.Model.Opset < 11 ? 1 : 2;
        if (node.Ints("axes") is { Length: > 0 } axes && axes.Length != rank)
            throw Lowering.Unsupported(node);
        return node.Floats("scales") is { } old ? [.. old.Select(static s => (double)s)]
            : lowering.ConstantOf(node.Input(index)) is { ElementType: ElementType.Float, Length: > 0 } given && given.Length == rank
                ? [.. given.ToArray<float>().Select(static s => (double)s)] : null;
    }

    private static long? Factor(Dimension from, Dimension to)
    {
        if (from.IsConstant && to.IsConstant)
            return from.Value > 0 && to.Value % from.Value == 0 ? to.Value / from.Value : null;
        for (var factor = 2; factor <= 8; factor++)
        {
            if (from * factor == to)
                return factor;
        }
        return null;
    }

    /// <summary>Whether each element is repeated as often as the factor says, in its place.</summary>
    private static bool IsRepetition(string transformation, string nearest, long factor) => transformation switch
    {
        "asymmetric" => nearest == "floor",
        // Centres lie within the element that they come from: rounding to either side stays there, but for the middle of odd factors, where it is exact.
        "half_pixel" or "pytorch_half_pixel" or "half_pixel_symmetric" => nearest is "round_prefer_floor" or "round_prefer_ceil" && factor > 1,
        _ => false,
    };

    private static TensorView Repeated(Lowering lowering, Node node, TensorView x, int axis, long factor)
    {
        var spread = ViewLowering.Inserted(x, axis + 1);
        spread = spread with { Extents = spread.Extents.SetItem(axis + 1, factor), Order = After(spread, axis) };
        var y = lowering.Allocate(spread.Extents, x.Type, spread.Order);
        lowering.CopyTo(y, spread, node.DisplayName);
        return ViewLowering.Reshaped(lowering, node, y, x.Extents.SetItem(axis, x.Extents[axis] * factor));
    }

    // The new dimension lies in memory right behind the one that it belongs to.
    private static System.Collections.Immutable.ImmutableArray<int> After(TensorView view, int axis)
    {
        var order = view.Order.Remove(axis + 1);
        return order.Insert(order.IndexOf(axis) + 1, axis + 1);
    }

    private static TensorView Along(Lowering lowering, Node node, TensorView x, int axis, Dimension target, double? scale, string mode, string transformation,
        string nearest)
    {
        if (!x.Extents[axis].IsConstant || !target.IsConstant)
            throw new NotLoweredException($"'{node.DisplayName}' ({node.OpType}): a dimension that is known only at run time is resized by whole factors "
                + "to the nearest neighbour only", node);
        var (length, outputs) = (x.Extents[axis].Value, target.Value);
        var factor = scale ?? (double)outputs / length;
        var width = mode switch { "nearest" => 1, "linear" => 2, _ => 4 };
        var places = new int[outputs * width];
        var weights = new float[outputs * width];
        for (long j = 0; j < outputs; j++)
        {
            var at = Coordinate(transformation, j, factor, length, outputs);
            if (mode == "nearest")
            {
                places[j] = (int)Math.Clamp(nearest switch
                {
                    "floor" => Math.Floor(at),
                    "ceil" => Math.Ceiling(at),
                    "round_prefer_ceil" => Math.Floor(at + 0.5),
                    _ => Math.Ceiling(at - 0.5),
                }, 0, length - 1);
                weights[j] = 1;
                continue;
            }
            if (mode == "linear")
                at = Math.Clamp(at, 0, length - 1);
            var floor = Math.Floor(at);
            var rest = at - floor;
            var cubic = node.Float("cubic_coeff_a", -0.75f);
            for (var t = 0; t < width; t++)
            {
                places[j * width + t] = (int)Math.Clamp(floor + t - (width / 2 - 1), 0, length - 1);
                weights[j * width + t] = (float)(mode == "linear" ? t == 0 ? 1 - rest : rest : Cubic(Math.Abs(rest - (t - 1)), cubic));
            }
        }
        // What lies behind the axis in memory moves together: images are resized as they lie.
        var order = x.Order;
        var moved = ViewLowering.Permuted(x, order.AsSpan());
        var place = order.IndexOf(axis);
        moved = lowering.RowMajor(moved, node);
        var y = lowering.Allocate(moved.Extents.SetItem(place, outputs), x.Type);
        if (mode == "nearest" && x.Type != ModelElementType.Float)
        {
            IndexingLowering.Take(lowering, node, moved, place, lowering.Constant(Tensor.Vector(places)), y, outputs);
            return ViewLowering.Permuted(y, [.. Enumerable.Range(0, x.Rank).Select(d => order.IndexOf(d))]);
        }
        if (x.Type != ModelElementType.Float)
            throw Lowering.Unsupported(node, x.Type);
        var inner = TensorView.Product(moved.Extents.Skip(place + 1));
        lowering.Call(new TapsArguments
        {
            X = lowering.Operand(moved), Indices = lowering.Packed<int>(Packings.Raw, places), Weights = lowering.Packed<float>(Packings.Raw, weights),
            Y = lowering.Operand(y), Outer = lowering.Size(TensorView.Product(moved.Extents.Take(place))), Count = lowering.Size(outputs),
            Width = lowering.Size(width), Inner = lowering.Size(inner), Axis = lowering.Size(length), XOuter = lowering.Size(inner * length),
            XAxis = lowering.Size(inner), YOuter = lowering.Size(inner * outputs), YAxis = lowering.Size(inner),
        }, node.DisplayName);
        return ViewLowering.Permuted(y, [.. Enumerable.Range(0, x.Rank).Select(d => order.IndexOf(d))]);
    }

    private static double Coordinate(string transformation, long j, double scale, long length, long outputs) => transformation switch
    {
        "asymmetric" => j / scale,
        "align_corners" => outputs == 1 ? 0 : j * (length - 1.0) / (outputs - 1),
        "pytorch_half_pixel" => outputs == 1 ? 0 : (j + 0.5) / scale - 0.5,
        "half_pixel_symmetric" => length / 2.0 * (1 - outputs / (scale * length)) + (j + 0.5) / scale - 0.5,
        _ => (j + 0.5) / scale - 0.5,
    };

    // Keys' kernel.
    private static double Cubic(double x, double a) => x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
