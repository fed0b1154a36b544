namespace ModelBuild.Onnx.Operators;

/// <summary>Regions of an image resampled to one size, by mean or maximum of linearly interpolated samples.</summary>
internal sealed class RoiAlign : Operator
{
    public override string Name => "RoiAlign";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context)
    {
        var (x, regions) = (context.Shape(0), context.Shape(1));
        context.Set(0, context.ElementType(0), [regions.IsDefault ? Dimension.Unknown : regions[0], x.IsDefault ? Dimension.Unknown : x[1],
            context.Node.Int("output_height", 1), context.Node.Int("output_width", 1)]);
    }

    public override InputRole Role(Node node, int input) => input == 2 ? InputRole.Indices : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        context.Link(1, 0, 0, 0);
        context.Link(2, 0, 0, 0);
        context.Link(0, 1, 0, 1);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var (x, regions) = (context.Input(0), context.Input(1));
        var samples = Numbers.Integers(context.Input(2));
        context.Require(x.Rank == 4 && regions.Rank == 2 && regions.Shape[1] == 4 && samples.Length == regions.Shape[0], "the regions do not fit");
        var (rows, columns) = ((int)node.Int("output_height", 1), (int)node.Int("output_width", 1));
        double scale = node.Float("spatial_scale", 1);
        var ratio = (int)node.Int("sampling_ratio");
        var mean = node.String("mode", "avg") == "avg";
        // Pixels have their centers at halves from operator set 16 on, unless stated otherwise.
        var half = node.String("coordinate_transformation_mode", context.Opset < 16 ? "output_half_pixel" : "half_pixel") == "half_pixel";
        var (values, corners) = (Numbers.Doubles(x), Numbers.Doubles(regions));
        var (channels, height, width) = ((int)x.Shape[1], (int)x.Shape[2], (int)x.Shape[3]);
        var result = new double[Indexing.Length([samples.Length, channels, rows, columns])];
        for (var r = 0; r < samples.Length; r++)
        {
            var offset = half ? 0.5 : 0;
            var (left, top) = (corners[4 * r] * scale - offset, corners[4 * r + 1] * scale - offset);
            var (wide, high) = (corners[4 * r + 2] * scale - offset - left, corners[4 * r + 3] * scale - offset - top);
            if (!half)
                (wide, high) = (Math.Max(wide, 1), Math.Max(high, 1));
            var (down, across) = (ratio > 0 ? ratio : (int)Math.Ceiling(high / rows), ratio > 0 ? ratio : (int)Math.Ceiling(wide / columns));
            Indexing.Length([rows, columns, Math.Max(0, down), Math.Max(0, across)]);
            for (var c = 0; c < channels; c++)
            {
                var plane = values.AsSpan((int)((samples[r] * channels + c) * height * width), height * width);
                for (var p = 0; p < rows * columns; p++)
                {
                    double sum = 0, max = double.NegativeInfinity;
                    for (var i = 0; i < down; i++)
                        for (var k = 0; k < across; k++)
                        {
                            var y = top + (p / columns + (i + 0.5) / down) * high / rows;
                            var z = left + (p % columns + (k + 0.5) / across) * wide / columns;
                            Sample(plane, height, width, y, z, out var value, out var largest);
                            sum += value;
                            max = Math.Max(max, largest);
                        }
                    result[(r * channels + c) * rows * columns + p] = mean ? sum / Math.Max(1, down * across) : max;
                }
            }
        }
        context.Set(0, Numbers.Of(x.ElementType, [samples.Length, channels, rows, columns], result));
    }

    private static void Sample(ReadOnlySpan<double> plane, int height, int width, double y, double x, out double value, out double largest)
    {
        value = largest = 0;
        if (y < -1 || y > height || x < -1 || x > width)
            return;
        (y, x) = (Math.Clamp(y, 0, height - 1), Math.Clamp(x, 0, width - 1));
        var (top, left) = ((int)y, (int)x);
        var (bottom, right) = (Math.Min(top + 1, height - 1), Math.Min(left + 1, width - 1));
        var (dy, dx) = (y - top, x - left);
        Span<double> parts = [(1 - dy) * (1 - dx) * plane[top * width + left], (1 - dy) * dx * plane[top * width + right],
            dy * (1 - dx) * plane[bottom * width + left], dy * dx * plane[bottom * width + right]];
        largest = double.NegativeInfinity;
        foreach (var p in parts)
        {
            value += p;
            largest = Math.Max(largest, p);
        }
    }
}
