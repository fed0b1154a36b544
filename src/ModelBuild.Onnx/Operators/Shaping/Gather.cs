namespace ModelBuild.Onnx.Operators;

/// <summary>Slices along an axis, chosen by indices; negative ones count from the end.</summary>
internal sealed class Gather : Operator
{
    public override string Name => "Gather";

    public override void Infer(InferenceContext context)
    {
        var (data, indices) = (context.Shape(0), context.Shape(1));
        if (data.IsDefault || indices.IsDefault)
        {
            context.Set(0, context.ElementType(0));
            return;
        }
        var axis = Indexing.Axis(context.Node.Int("axis"), data.Length);
        context.Set(0, context.ElementType(0), [.. data.Take(axis), .. indices, .. data.Skip(axis + 1)]);
        if (context.Elements(0) is { Shape.Length: 1 } elements && context.Elements(1) is { IsConstant: true } at)
            context.SetElements(0, elements.Select(at.Shape, [.. at.Elements.Select(i => Indexing.Axis(i.Value, elements.Elements.Length))]));
    }

    public override InputRole Role(Node node, int input) =>
        input == 1 ? InputRole.Indices
        : node.Input(0)?.Constant is { Rank: >= 2 } data && ElementTypes.IsFloat(data.ElementType) ? InputRole.Weights : InputRole.Activation;

    // Rows of an embedding.
    public override WeightChannels Channels(Node node, int input) =>
        input == 0 && node.Int("axis") == 0 && node.Input(0)?.Constant is { Rank: 2 } ? new(0, 1) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        var (rank, indices) = (context.Rank(0), context.Rank(1));
        if (rank < 1 || indices < 0)
            return;
        var axis = Indexing.Axis(context.Node.Int("axis"), rank);
        for (var i = 0; i < rank; i++)
            if (i != axis)
                context.Link(0, i, 0, i < axis ? i : i - 1 + indices);
        for (var i = 0; i < indices; i++)
            context.Link(1, i, 0, axis + i);
        if (indices == 1 && context.Integers(1) is { } chosen)
            context.Select(0, axis, 0, axis, chosen);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context)
    {
        var axis = Indexing.Axis(context.Node.Int("axis"), context.Rank(0));
        if (!context.CutsInput(0, axis))
            return null;
        var (kept, length, indices) = (context.OfInput(0, axis), context.Length(NodeAxis.OfInput(0, axis)), context.Integers(1)!);
        context.SetIntegers(1, [.. context.OfOutput(0, axis).Select(j => (long)Array.IndexOf(kept, indices[j] < 0 ? indices[j] + length : indices[j]))]);
        return null;
    }

    public override void Execute(ExecutionContext context) =>
        context.Set(0, Apply(context.Input(0), context.Input(1), Indexing.Axis(context.Node.Int("axis"), context.Input(0).Rank)));

    /// <summary>Slices along an axis.</summary>
    public static Tensor Apply(Tensor data, Tensor indexTensor, int axis)
    {
        var indices = Numbers.Integers(indexTensor);
        var length = (int)data.Shape[axis];
        var outer = Indexing.Product(data.Shape.AsSpan(), 0, axis);
        var inner = Indexing.Product(data.Shape.AsSpan(), axis + 1, data.Rank);
        System.Collections.Immutable.ImmutableArray<long> shape = [.. data.Shape.Take(axis), .. indexTensor.Shape, .. data.Shape.Skip(axis + 1)];
        var positions = new int[Indexing.Length(shape)];
        var at = 0;
        for (var o = 0L; o < outer; o++)
            foreach (var index in indices)
            {
                var start = (o * length + Indexing.Axis(index, length)) * inner;
                for (var k = 0L; k < inner; k++)
                    positions[at++] = (int)(start + k);
            }
        return Elements.Select(data, shape, positions);
    }
}
