namespace ModelBuild.Onnx.Operators;

/// <summary>Elements along an axis, each chosen by an index at its own place.</summary>
internal sealed class GatherElements : Operator
{
    public override string Name => "GatherElements";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), context.Shape(1));

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Indices : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is not (> 0 and var rank))
            return;
        var axis = Indexing.Axis(context.Node.Int("axis"), rank);
        context.Same(1);
        for (var i = 0; i < rank; i++)
            if (i != axis)
                context.Link(AxesContext.In(0, i), AxesContext.Out(0, i), context.OutputSize(0, i));
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var (data, indices) = (context.Input(0), context.Input(1));
        context.Set(0, Elements.Select(data, indices.Shape, Positions(data, indices, Indexing.Axis(context.Node.Int("axis"), data.Rank))));
    }

    /// <summary>The positions in <paramref name="data"/> that indices along an axis mean.</summary>
    public static int[] Positions(Tensor data, Tensor indices, int axis)
    {
        if (indices.Rank != data.Rank)
            throw new InvalidOperationException($"indices {indices} do not fit {data}");
        for (var d = 0; d < data.Rank; d++)
            if (d != axis && indices.Shape[d] > data.Shape[d])
                throw new InvalidOperationException($"indices {indices} do not fit {data}");
        var strides = Indexing.Strides(data.Shape.AsSpan());
        var step = strides[axis];
        strides[axis] = 0;
        var positions = Indexing.Positions(indices.Shape.AsSpan(), strides);
        var values = Numbers.Integers(indices);
        for (var i = 0; i < positions.Length; i++)
            positions[i] += (int)(Indexing.Axis(values[i], (int)data.Shape[axis]) * step);
        return positions;
    }
}
