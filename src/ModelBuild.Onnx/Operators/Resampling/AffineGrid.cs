using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Sampling places of an affine map, for GridSample: [N, H, W, 2] or [N, D, H, W, 3].</summary>
internal sealed class AffineGrid : Operator
{
    public override string Name => "AffineGrid";

    public override int FirstVersion => 20;

    public override void Infer(InferenceContext context) =>
        context.Set(0, context.ElementType(0), context.Vector(1) is { } size ? [size[0], .. size.Skip(2), size.Length - 2] : default);

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        context.Link(0, 0, 0, 0);
        context.Link(0, 1, 0, context.OutputRank(0) - 1);
        context.Rest(AxisKind.New);
    }

    public override string? Cut(CutContext context)
    {
        if (context.OutputRank(0) < 1 || context.CutsOutput(0, context.OutputRank(0) - 1))
            return "coordinates belong together";
        if (context.CutsOutput(0, 0))
        {
            var size = context.Integers(1);
            if (size is null)
                return "the size is not constant";
            size[0] = context.OfOutput(0, 0).Length;
            context.SetIntegers(1, size);
        }
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var theta = context.Input(0);
        var size = Numbers.Integers(context.Input(1));
        var rank = size.Length - 2;
        context.Require(theta.Rank == 3 && theta.Shape[1] == rank && theta.Shape[2] == rank + 1 && theta.Shape[0] == size[0], $"{theta} does not fit the size");
        var matrix = Numbers.Doubles(theta);
        var align = context.Node.Int("align_corners") != 0;
        var spatial = size.AsSpan(2).ToArray();
        var strides = Indexing.Strides(spatial);
        var plane = Indexing.Length(spatial);
        var result = new double[Indexing.Length([size[0], plane, rank])];
        var place = new double[rank + 1];
        place[rank] = 1;
        for (var n = 0; n < size[0]; n++)
            for (var p = 0; p < plane; p++)
            {
                // The first coordinate belongs to the last dimension.
                for (var d = 0; d < rank; d++)
                {
                    var length = spatial[rank - 1 - d];
                    var i = p / strides[rank - 1 - d] % length;
                    place[d] = align ? length == 1 ? 0 : 2.0 * i / (length - 1) - 1 : (2.0 * i + 1) / length - 1;
                }
                for (var r = 0; r < rank; r++)
                {
                    double sum = 0;
                    for (var c = 0; c <= rank; c++)
                        sum += matrix[(n * rank + r) * (rank + 1) + c] * place[c];
                    result[(n * plane + p) * rank + r] = sum;
                }
            }
        context.Set(0, Numbers.Of(theta.ElementType, [size[0], .. spatial, rank], result));
    }
}
