using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A number computed from the elements under a window that moves over the spatial dimensions.</summary>
internal abstract class PoolOperator : Operator
{
    /// <summary>The result of the elements under a window.</summary>
    /// <param name="node">The node.</param>
    /// <param name="values">The elements that lie inside the input.</param>
    /// <param name="window">The number of elements of the window that lie inside the input or its padding.</param>
    protected abstract double Pool(Node node, ReadOnlySpan<double> values, int window);

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), OutputShape(context));

    protected static ImmutableArray<Dimension> OutputShape(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
            return default;
        var kernel = context.Node.Ints("kernel_shape") ?? throw context.Error("has no kernel_shape");
        context.Require(kernel.Length == shape.Length - 2, $"a kernel of {kernel.Length} dimensions does not fit {context.Input(0)}");
        return [shape[0], shape[1], .. new SpatialWindow(context.Node, kernel).Output(shape.Skip(2))];
    }

    public override void Axes(AxesContext context)
    {
        for (var output = 0; output < context.OutputCount; output++)
        {
            context.Link(0, 0, output, 0);
            context.Link(0, 1, output, 1);
            context.Rest(AxisKind.Mixed, output);
        }
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var (shape, result, _) = Run(x, new(context.Node, context.Node.Ints("kernel_shape")!), (under, window, _) =>
        {
            return Pool(context.Node, under.Select(i => values[i]).ToArray(), window);
        });
        context.Set(0, Numbers.Of(x.ElementType, shape, result));
    }

    /// <summary>Moves a window over a tensor.</summary>
    /// <param name="x">The tensor [N, C, spatial...].</param>
    /// <param name="window">The window.</param>
    /// <param name="pool">Makes the result from the positions under the window, the number of its elements inside input and padding, and the number of the
    /// place.</param>
    protected static (ImmutableArray<long> Shape, double[] Values, int PlacesPerPlane) Run(Tensor x, SpatialWindow window, Func<List<int>, int, int,
        double> pool)
    {
        var rank = x.Rank - 2;
        var input = x.Shape.AsSpan()[2..].ToArray();
        long[] output = [.. window.Output(input.Select(Dimension.Of)).Select(static d => d.Value)];
        ImmutableArray<long> shape = [x.Shape[0], x.Shape[1], .. output];
        var strides = Indexing.Strides(input);
        var (plane, places) = ((int)Tensor.Count(input), (int)Tensor.Count(output));
        var result = new double[Indexing.Length(shape)];
        // A kernel may be much larger than the input that it looks at.
        Indexing.Length([places, Tensor.Count(window.Kernel)]);
        var under = new List<int>();
        var place = new long[rank];
        for (var p = 0; p < places; p++)
        {
            under.Clear();
            var tap = new long[rank];
            var inside = 0;
            var taps = Tensor.Count(window.Kernel);
            for (var k = 0; k < taps; k++)
            {
                long at = 0;
                var counts = true;
                for (var d = 0; d < rank; d++)
                {
                    var i = place[d] * window.Strides[d] + tap[d] * window.Dilations[d] - window.Before(d, input[d]);
                    counts &= i < input[d] + window.After(d, input[d]);
                    at = i >= 0 && i < input[d] && at >= 0 ? at + i * strides[d] : -1;
                }
                inside += counts ? 1 : 0;
                if (at >= 0)
                    under.Add((int)at);
                for (var d = rank - 1; d >= 0 && ++tap[d] == window.Kernel[d]; d--)
                    tap[d] = 0;
            }
            var positions = new List<int>(under);
            for (var c = 0; c < x.Shape[0] * x.Shape[1]; c++)
            {
                for (var i = 0; i < under.Count; i++)
                    positions[i] = c * plane + under[i];
                result[c * places + p] = pool(positions, inside, c * places + p);
            }
            for (var d = rank - 1; d >= 0 && ++place[d] == output[d]; d--)
                place[d] = 0;
        }
        return (shape, result, places);
    }
}
