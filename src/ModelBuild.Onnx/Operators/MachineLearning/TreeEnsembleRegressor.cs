namespace ModelBuild.Onnx.Operators;

/// <summary>An ensemble of decision trees whose leaves add to targets.</summary>
internal sealed class TreeEnsembleRegressor : Operator
{
    public override string Domain => Domains.MachineLearning;

    public override string Name => "TreeEnsembleRegressor";

    public override void Infer(InferenceContext context) =>
        context.Set(0, ElementType.Float,
            [context.Shape(0) is { IsDefault: false, Length: > 0 } s ? s[0] : Dimension.Unknown, context.Node.Int("n_targets", 1)]);

    public override void Axes(AxesContext context) => LearnedOperator.Rows(context);

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var x = context.Input(0);
        var (tree, roots, votes) = TreeEnsembleNodes.Read(node, "target");
        var (values, features, targets) = (Numbers.Doubles(x), (int)x.Shape[^1], (int)node.Int("n_targets", 1));
        var rows = values.Length / features;
        var result = new double[rows * targets];
        var aggregate = node.String("aggregate_function", "SUM");
        for (var n = 0; n < rows; n++)
        {
            var row = result.AsSpan(n * targets, targets);
            row.Fill(aggregate switch { "MIN" => double.PositiveInfinity, "MAX" => double.NegativeInfinity, _ => 0 });
            foreach (var root in roots)
                foreach (var (target, weight) in votes.GetValueOrDefault(tree.Leaf(root, values.AsSpan(n * features, features))) ?? [])
                    row[target] = aggregate switch { "MIN" => Math.Min(row[target], weight), "MAX" => Math.Max(row[target], weight),
                        _ => row[target] + weight };
            var start = TreeEnsembleNodes.BaseValues(node);
            for (var t = 0; t < targets; t++)
                row[t] = (double.IsInfinity(row[t]) ? 0 : aggregate == "AVERAGE" ? row[t] / roots.Length : row[t]) + (start is null ? 0 : start[t]);
            PostTransform.Apply(row, node.String("post_transform", "NONE"));
        }
        context.Set(0, Numbers.Of(ElementType.Float, [rows, targets], result));
    }
}
