using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>An ensemble of decision trees that votes for classes: labels and scores.</summary>
internal sealed class TreeEnsembleClassifier : Operator
{
    public override string Domain => Domains.MachineLearning;

    public override string Name => "TreeEnsembleClassifier";

    public override void Infer(InferenceContext context)
    {
        var batch = context.Shape(0) is { IsDefault: false, Length: > 0 } s ? s[0] : Dimension.Unknown;
        context.Set(0, context.Node.Attributes.ContainsKey("classlabels_strings") ? ElementType.String : ElementType.Int64, [batch]);
        context.Set(1, ElementType.Float, [batch, Math.Max(2, Labels(context.Node))]);
    }

    public override void Axes(AxesContext context) => LearnedOperator.Rows(context);

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var x = context.Input(0);
        var (tree, roots, votes) = TreeEnsembleNodes.Read(node, "class");
        var (values, features) = (Numbers.Doubles(x), (int)x.Shape[^1]);
        var classes = Labels(node);
        // With one set of votes for two classes the score is that of the second.
        var binary = classes == 2 && votes.Values.SelectMany(static v => v).Select(static v => v.Target).Distinct().Count() == 1;
        if (binary || classes < 2)
            throw context.Unsupported("an ensemble whose leaves vote for one of two classes");
        var rows = values.Length / features;
        var (scores, best) = (new double[rows * classes], new int[rows]);
        for (var n = 0; n < rows; n++)
        {
            var row = scores.AsSpan(n * classes, classes);
            TreeEnsembleNodes.BaseValues(node)?.CopyTo(row);
            foreach (var root in roots)
                foreach (var (target, weight) in votes.GetValueOrDefault(tree.Leaf(root, values.AsSpan(n * features, features))) ?? [])
                    row[target] += weight;
            for (var c = 1; c < classes; c++)
                if (row[c] > row[best[n]])
                    best[n] = c;
            PostTransform.Apply(row, node.String("post_transform", "NONE"));
        }
        context.Set(0, node.Attributes.GetValueOrDefault("classlabels_strings")?.Value is ImmutableArray<byte[]> names
            ? new Tensor([rows], [.. best.Select(b => System.Text.Encoding.UTF8.GetString(names[b]))])
            : Tensor.Vector([.. best.Select(b => node.Ints("classlabels_int64s")![b])]));
        context.Set(1, Numbers.Of(ElementType.Float, [rows, classes], scores));
    }

    private static int Labels(Node node) => node.Ints("classlabels_int64s")?.Length
        ?? (node.Attributes.GetValueOrDefault("classlabels_strings")?.Value is ImmutableArray<byte[]> s ? s.Length : 0);
}
