namespace ModelBuild.Onnx.Operators;

/// <summary>Updates written at indices along an axis.</summary>
internal abstract class ScatterElementsOperator : Operator
{
    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override void Execute(ExecutionContext context)
    {
        var (data, indices, updates) = (context.Input(0), context.Input(1), context.Input(2));
        context.Require(indices.Shape.SequenceEqual(updates.Shape), $"indices {indices} and updates {updates} have different shapes");
        var positions = GatherElements.Positions(data, indices, Indexing.Axis(context.Node.Int("axis"), data.Rank));
        context.Set(0, ScatterReduction.Apply(data, positions, updates, context.Node.String("reduction", "none")));
    }
}
