namespace ModelBuild.Onnx.Operators;

/// <summary>Slices written at coordinates, optionally combined with what is there.</summary>
internal sealed class ScatterND : Operator
{
    public override string Name => "ScatterND";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Indices : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        context.Same();
        if (context.Rank(1) is > 0 and var own && context.Size(1, own - 1) is { IsConstant: true, Value: var depth })
            for (var i = (int)depth; i < context.Rank(0); i++)
                context.Link(2, own - 1 + i - (int)depth, 0, i);
    }

    public override string? Cut(CutContext context) => context.Rank(1) is > 0 and var own
        && context.Known.Size(1, own - 1) is { IsConstant: true, Value: var depth }
        && !Enumerable.Range(0, (int)depth).Any(i => context.CutsInput(0, i)) ? null : "indices count along the axis";

    public override void Execute(ExecutionContext context)
    {
        var (data, indices, updates) = (context.Input(0), context.Input(1), context.Input(2));
        var depth = (int)indices.Shape[^1];
        context.Require(depth <= data.Rank, "the coordinates have more dimensions than the data");
        var strides = Indexing.Strides(data.Shape.AsSpan());
        var inner = (int)Indexing.Product(data.Shape.AsSpan(), depth, data.Rank);
        var values = Numbers.Integers(indices);
        var count = depth == 0 ? (int)Indexing.Product(indices.Shape.AsSpan(), 0, indices.Rank - 1) : values.Length / depth;
        context.Require(updates.Length == (long)count * inner, $"updates {updates} do not fit");
        var positions = new int[updates.Length];
        for (var i = 0; i < count; i++)
        {
            long start = 0;
            for (var d = 0; d < depth; d++)
                start += Indexing.Axis(values[i * depth + d], (int)data.Shape[d]) * strides[d];
            for (var k = 0; k < inner; k++)
                positions[i * inner + k] = (int)start + k;
        }
        context.Set(0, ScatterReduction.Apply(data, positions, updates, context.Node.String("reduction", "none")));
    }
}
