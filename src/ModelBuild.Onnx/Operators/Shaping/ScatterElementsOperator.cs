namespace ModelBuild.Onnx.Operators;

/// <summary>Updates written at indices along an axis.</summary>
internal abstract class ScatterElementsOperator : Operator
{
    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Indices : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is not (> 0 and var rank))
            return;
        var axis = Indexing.Axis(context.Node.Int("axis"), rank);
        context.Same();
        context.Same(1, 0, axis);
        context.Same(2, 0, axis);
    }

    public override string? Cut(CutContext context) =>
        context.CutsInput(0, Indexing.Axis(context.Node.Int("axis"), context.Rank(0))) ? "indices count along the axis" : null;

    public override void Execute(ExecutionContext context)
    {
        var (data, indices, updates) = (context.Input(0), context.Input(1), context.Input(2));
        context.Require(indices.Shape.SequenceEqual(updates.Shape), $"indices {indices} and updates {updates} have different shapes");
        var positions = GatherElements.Positions(data, indices, Indexing.Axis(context.Node.Int("axis"), data.Rank));
        context.Set(0, ScatterReduction.Apply(data, positions, updates, context.Node.String("reduction", "none")));
    }
}
