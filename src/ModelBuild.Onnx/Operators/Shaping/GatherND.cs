namespace ModelBuild.Onnx.Operators;

/// <summary>Slices chosen by coordinates: the last dimension of the indices holds them.</summary>
internal sealed class GatherND : Operator
{
    public override string Name => "GatherND";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context)
    {
        var (data, indices) = (context.Shape(0), context.Shape(1));
        var batch = (int)context.Node.Int("batch_dims");
        context.Set(0, context.ElementType(0), data.IsDefault || indices.IsDefault || !indices[^1].IsConstant ? default
            : [.. indices.Take(indices.Length - 1), .. data.Skip(batch + (int)indices[^1].Value)]);
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Indices : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var (rank, indices) = (context.Rank(0), context.Rank(1));
        if (rank < 1 || indices < 1 || context.Size(1, indices - 1) is not { IsConstant: true, Value: var depth })
            return;
        var batch = (int)context.Node.Int("batch_dims");
        for (var i = 0; i < indices - 1; i++)
            context.Link(1, i, 0, i);
        for (var i = 0; i < batch; i++)
            context.Link(0, i, 0, i);
        for (var i = batch + (int)depth; i < rank; i++)
            context.Link(0, i, 0, i - batch - (int)depth + indices - 1);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var (data, indices) = (context.Input(0), context.Input(1));
        var batch = (int)context.Node.Int("batch_dims");
        var depth = (int)indices.Shape[^1];
        var strides = Indexing.Strides(data.Shape.AsSpan());
        var inner = (int)Indexing.Product(data.Shape.AsSpan(), batch + depth, data.Rank);
        var values = Numbers.Integers(indices);
        var batches = Indexing.Product(indices.Shape.AsSpan(), 0, batch);
        var perBatch = depth == 0 ? Indexing.Product(indices.Shape.AsSpan(), batch, indices.Rank - 1) : values.Length / Math.Max(1, batches) / depth;
        var batchStride = Indexing.Product(data.Shape.AsSpan(), batch, data.Rank);
        System.Collections.Immutable.ImmutableArray<long> shape = [.. indices.Shape.Take(indices.Rank - 1), .. data.Shape.Skip(batch + depth)];
        var positions = new int[Indexing.Length(shape)];
        var at = 0;
        for (var b = 0; b < batches; b++)
            for (var i = 0; i < perBatch; i++)
            {
                var start = b * batchStride;
                for (var d = 0; d < depth; d++)
                    start += Indexing.Axis(values[(b * perBatch + i) * depth + d], (int)data.Shape[batch + d]) * strides[batch + d];
                for (var k = 0; k < inner; k++)
                    positions[at++] = (int)start + k;
            }
        context.Set(0, Elements.Select(data, shape, positions));
    }
}
