using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>An image sampled at given places, whose coordinates run from -1 to 1.</summary>
internal sealed class GridSample : Operator
{
    public override string Name => "GridSample";

    public override int FirstVersion => 16;

    public override void Infer(InferenceContext context)
    {
        var (x, grid) = (context.Shape(0), context.Shape(1));
        context.Set(0, context.ElementType(0), x.IsDefault || grid.IsDefault ? default : [x[0], x[1], .. grid.Skip(1).Take(grid.Length - 2)]);
    }

    public override void Axes(AxesContext context)
    {
        context.Link(0, 0, 0, 0);
        context.Link(0, 1, 0, 1);
        context.Link(1, 0, 0, 0);
        for (var i = 1; i < context.Rank(1) - 1; i++)
            context.Link(1, i, 0, i + 1);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var (x, grid) = (context.Input(0), context.Input(1));
        var rank = x.Rank - 2;
        context.Require(grid.Rank == x.Rank && grid.Shape[^1] == rank && grid.Shape[0] == x.Shape[0], $"grid {grid} does not fit {x}");
        var (values, places) = (Numbers.Doubles(x), Numbers.Doubles(grid));
        var sizes = x.Shape.AsSpan()[2..].ToArray();
        var strides = Indexing.Strides(sizes);
        var mode = context.Node.String("mode", "linear");
        var padding = context.Node.String("padding_mode", "zeros");
        var align = context.Node.Int("align_corners") != 0;
        ImmutableArray<long> shape = [x.Shape[0], x.Shape[1], .. grid.Shape.Skip(1).Take(rank)];
        var result = new double[Indexing.Length(shape)];
        var (channels, plane, count) = ((int)x.Shape[1], (int)Tensor.Count(sizes), places.Length / rank / Math.Max(1, (int)x.Shape[0]));
        for (var p = 0; p < places.Length / rank; p++)
        {
            // The last coordinate of a place belongs to the first spatial dimension.
            var weights = new (long At, double Weight)[rank][];
            for (var d = 0; d < rank; d++)
                weights[d] = Weights(places[p * rank + rank - 1 - d], sizes[d], mode, padding, align);
            var n = p / count;
            for (var c = 0; c < channels; c++)
                result[(n * channels + c) * count + p % count] = Sum(values.AsSpan((n * channels + c) * plane, plane), weights, strides, 0, 0);
        }
        context.Set(0, Numbers.Of(x.ElementType, shape, result));
    }

    private static double Sum(ReadOnlySpan<double> plane, (long At, double Weight)[][] weights, long[] strides, int d, long at)
    {
        if (d == weights.Length)
            return plane[(int)at];
        double sum = 0;
        foreach (var (i, weight) in weights[d])
            if (i >= 0)
                sum += weight * Sum(plane, weights, strides, d + 1, at + i * strides[d]);
        return sum;
    }

    private static (long, double)[] Weights(double coordinate, long size, string mode, string padding, bool align)
    {
        var x = align ? (coordinate + 1) / 2 * (size - 1) : ((coordinate + 1) * size - 1) / 2;
        var (low, high) = align ? (0, size - 1.0) : (-0.5, size - 0.5);
        if (mode == "nearest")
            x = Math.Round(x, MidpointRounding.ToEven);
        if (x < low || x > high)
            x = padding switch { "border" => Math.Clamp(x, 0, size - 1), "reflection" => Reflect(x, low, high), _ => x };
        var floor = Math.Floor(x);
        var r = x - floor;
        double[] factors = mode switch
        {
            "nearest" => [1],
            "linear" or "bilinear" => [1 - r, r],
            "cubic" or "bicubic" => [Cubic(1 + r), Cubic(r), Cubic(1 - r), Cubic(2 - r)],
            _ => throw new InvalidOperationException($"unknown mode '{mode}'"),
        };
        var first = factors.Length == 4 ? floor - 1 : factors.Length == 1 ? Math.Round(x, MidpointRounding.ToEven) : floor;
        return [.. factors.Select((f, i) => (Place((first + i), size, padding, low, high), f))];
    }

    private static long Place(double at, long size, string padding, double low, double high)
    {
        if (at >= 0 && at < size)
            return (long)at;
        return padding switch
        {
            "border" => double.IsNaN(at) ? -1 : (long)Math.Clamp(at, 0, size - 1),
            "reflection" => double.IsFinite(at) ? (long)Math.Clamp(Reflect(at, low, high), 0, size - 1) : -1,
            _ => -1,
        };
    }

    private static double Reflect(double x, double low, double high)
    {
        var range = high - low;
        if (range <= 0 || !double.IsFinite(x))
            return low;
        var distance = Math.Abs(x - low) % (2 * range);
        return low + (distance > range ? 2 * range - distance : distance);
    }

    private static double Cubic(double t)
    {
        const double a = -0.75;
        return t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
    }
}
