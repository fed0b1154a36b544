namespace ModelBuild.Onnx.Operators;

/// <summary>Columns of blocks added up to an image.</summary>
internal sealed class Col2Im : Operator
{
    public override string Name => "Col2Im";

    public override int FirstVersion => 18;

    public override void Infer(InferenceContext context)
    {
        var x = context.Shape(0);
        var image = context.Vector(1);
        var channels = !x.IsDefault && context.ConstantIntegers(2) is { } block ? x[1] / block.Aggregate(1L, static (a, b) => a * b) : Dimension.Unknown;
        context.Set(0, context.ElementType(0), image is { } s ? [x.IsDefault ? Dimension.Unknown : x[0], channels, .. s] : default);
    }

    public override InputRole Role(Node node, int input) => input > 0 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        context.Link(0, 0, 0, 0);
        if (context.Integers(2) is { } block)
            context.Link(AxesContext.In(0, 1) with { Inner = block.Aggregate(1L, static (a, b) => a * b) }, AxesContext.Out(0, 1), context.OutputSize(0, 1));
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) =>
        context.CutsInput(0, 1)
            && context.OfInput(0, 1).Length * context.Length(NodeAxis.OfOutput(0, 1)) != context.OfOutput(0, 1).Length * context.Length(NodeAxis.OfInput(0, 1))
            ? "blocks stay whole" : null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var (image, block) = (Numbers.Integers(context.Input(1)), Numbers.Integers(context.Input(2)));
        var window = new SpatialWindow(context.Node, block);
        long[] places = [.. image.Select((d, i) => window.Output(i, d).Value)];
        var (taps, count, plane) = ((int)Tensor.Count(block), (int)Tensor.Count(places), (int)Tensor.Count(image));
        var channels = (int)x.Shape[1] / taps;
        context.Require(x.Rank == 3 && channels * taps == x.Shape[1] && count == x.Shape[2], $"{x} does not fit image and block");
        var values = Numbers.Doubles(x);
        var result = new double[Indexing.Length([x.Shape[0], channels, plane])];
        var (tapStrides, placeStrides, imageStrides) = (Indexing.Strides(block), Indexing.Strides(places), Indexing.Strides(image));
        for (var i = 0; i < values.Length; i++)
        {
            var (place, tap) = (i % count, i / count % taps);
            long at = 0;
            for (var d = 0; d < image.Length && at >= 0; d++)
            {
                var position = place / placeStrides[d] % places[d] * window.Strides[d]
                    + tap / tapStrides[d] % block[d] * window.Dilations[d] - window.Before(d, image[d]);
                at = position >= 0 && position < image[d] ? at + position * imageStrides[d] : -1;
            }
            if (at >= 0)
                result[i / count / taps * plane + at] += values[i];
        }
        context.Set(0, Numbers.Of(x.ElementType, [x.Shape[0], channels, .. image], result));
    }
}
