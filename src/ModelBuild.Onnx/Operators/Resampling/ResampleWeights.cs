namespace ModelBuild.Onnx.Operators;

/// <summary>For every place of an output axis: which places of the input axis it is made of, and how much of each.</summary>
internal sealed class ResampleWeights
{
    private readonly (int At, double Weight)[][] _weights;
    private readonly bool[] _outside;

    public ResampleWeights(Node node, long opset, long length, long size, double scale, (double Start, double End) region)
    {
        var mode = node.String("mode", "nearest");
        // Operator set 10 knows one way of counting, and rounds down.
        var coordinates = node.String("coordinate_transformation_mode", opset < 11 ? "asymmetric" : "half_pixel");
        var rounding = node.String("nearest_mode", opset < 11 ? "floor" : "round_prefer_floor");
        var antialias = node.Int("antialias") != 0 && scale < 1;
        var exclude = node.Int("exclude_outside") != 0;
        var a = node.Float("cubic_coeff_a", -0.75f);
        _weights = new (int, double)[size][];
        _outside = new bool[size];
        for (var i = 0; i < size; i++)
        {
            var x = Source(coordinates, i, length, size, scale, region);
            _outside[i] = coordinates == "tf_crop_and_resize" && (x < 0 || x > length - 1);
            _weights[i] = mode switch
            {
                "nearest" => [((int)Math.Clamp(Nearest(rounding, x), 0, length - 1), 1)],
                "linear" or "bilinear" => Filter(x, length, antialias ? scale : 1, 1, exclude, static t => Math.Max(0, 1 - Math.Abs(t))),
                "cubic" => Filter(x, length, antialias ? scale : 1, 2, exclude, t => Cubic(t, a)),
                _ => throw new InvalidOperationException($"unknown mode '{mode}'"),
            };
        }
        IsIdentity = size == length && !_outside.Any(static o => o) && Enumerable.Range(0, (int)size)
            .All(i => _weights[i].All(w => w.At == i ? w.Weight == 1 : w.Weight == 0) && _weights[i].Any(w => w.At == i));
    }

    /// <summary>Whether every place is made of itself.</summary>
    public bool IsIdentity { get; }

    /// <summary>Whether places lie outside the input, where a constant stands.</summary>
    public bool HasOutside => _outside.Any(static o => o);

    /// <summary>Whether a place lies outside the input.</summary>
    public bool IsOutside(int place) => _outside[place];

    /// <summary>The parts of a place.</summary>
    public (int At, double Weight)[] At(int place) => _weights[place];

    private static double Source(string mode, int i, long length, long size, double scale, (double Start, double End) region)
    {
        switch (mode)
        {
            case "align_corners":
                // By the length before it is rounded down.
                return scale * length == 1 ? 0 : i * (length - 1) / (scale * length - 1);
            case "asymmetric":
                return i / scale;
            case "half_pixel":
                return (i + 0.5) / scale - 0.5;
            case "pytorch_half_pixel":
                return size == 1 ? 0 : (i + 0.5) / scale - 0.5;
            case "half_pixel_symmetric":
                // The size is rounded down: what is lost is shared by both ends.
                var adjustment = size / (scale * length);
                return length / 2.0 * (1 - adjustment) + (i + 0.5) / scale - 0.5;
            case "tf_half_pixel_for_nn":
                return (i + 0.5) / scale;
            case "tf_crop_and_resize":
                return size == 1 ? 0.5 * (region.Start + region.End) * (length - 1)
                    : region.Start * (length - 1) + i * (region.End - region.Start) * (length - 1) / (size - 1);
            default:
                throw new InvalidOperationException($"unknown coordinate_transformation_mode '{mode}'");
        }
    }

    private static double Nearest(string mode, double x) => mode switch
    {
        "round_prefer_floor" => Math.Ceiling(x - 0.5),
        "round_prefer_ceil" => Math.Floor(x + 0.5),
        "floor" => Math.Floor(x),
        "ceil" => Math.Ceiling(x),
        _ => throw new InvalidOperationException($"unknown nearest_mode '{mode}'"),
    };

    /// <summary>Samples of a kernel around x; for antialiasing it is as wide as one step of the output.</summary>
    private static (int, double)[] Filter(double x, long length, double scale, int radius, bool exclude, Func<double, double> kernel)
    {
        var left = (long)Math.Ceiling(x) - 1;
        var ratio = x - left;
        var start = (long)Math.Floor(-radius / scale) + 1;
        var parts = new List<(int At, double Weight)>();
        double sum = 0;
        for (var k = start; k <= 1 - start; k++)
        {
            var at = left + k;
            var weight = kernel((k - ratio) * scale);
            if (exclude && (at < 0 || at >= length))
                continue;
            // Beyond the edge stands the edge.
            parts.Add(((int)Math.Clamp(at, 0, length - 1), weight));
            sum += weight;
        }
        return exclude || scale < 1 ? [.. parts.Select(p => (p.At, p.Weight / sum))] : [.. parts];
    }

    private static double Cubic(double t, double a)
    {
        var x = Math.Abs(t);
        return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
    }
}
