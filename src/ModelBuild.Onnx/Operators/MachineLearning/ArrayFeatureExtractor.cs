namespace ModelBuild.Onnx.Operators;

/// <summary>Chosen elements of the last axis; of a vector as a row.</summary>
internal sealed class ArrayFeatureExtractor : Operator
{
    public override string Domain => Domains.MachineLearning;

    public override string Name => "ArrayFeatureExtractor";

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0),
        context.Shape(0) is { IsDefault: false, Length: > 0 } s && context.Shape(1) is { IsDefault: false } i ? s.Length == 1 ? [1, Shapes.Product(i)]
            : s.SetItem(s.Length - 1, Shapes.Product(i)) : default);

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Indices : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var rank = context.Rank(0);
        for (var i = 0; i < rank - 1; i++)
            context.Link(0, i, 0, i);
        var last = Math.Max(1, rank - 1);
        if (rank == 1)
            context.Set(0, 0, AxisKind.New);
        if (context.Integers(1) is { } indices)
            context.Select(0, rank - 1, 0, last, indices);
        if (context.Rank(1) is > 0 and var own)
            context.Link(1, own - 1, 0, last);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => context.CutsInput(0, context.Rank(0) - 1) || context.CutsOutput(0, Math.Max(1, context.Rank(0) - 1))
        ? "features are chosen by their number" : null;

    public override void Execute(ExecutionContext context)
    {
        var (x, indices) = (context.Input(0), context.Input(1));
        var chosen = Gather.Apply(x, indices.Reshape(indices.Length), x.Rank - 1);
        context.Set(0, x.Rank == 1 ? chosen.Reshape(1, chosen.Length) : chosen);
    }
}
