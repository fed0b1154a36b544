namespace ModelBuild.Onnx.Operators;

/// <summary>An ensemble of decision trees whose leaves vote for targets.</summary>
internal sealed class TreeEnsemble : Operator
{
    private static readonly string[] ModeNames = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER"];

    public override string Domain => Domains.MachineLearning;

    public override string Name => "TreeEnsemble";

    public override int FirstVersion => 5;

    public override void Infer(InferenceContext context) =>
        context.Set(0, context.ElementType(0), [context.Shape(0) is { IsDefault: false } s ? s[0] : Dimension.Unknown, context.Node.Int("n_targets", 1)]);

    public override void Axes(AxesContext context) => LearnedOperator.Rows(context);

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var x = context.Input(0);
        var splits = Numbers.Doubles(TensorOf(node, "nodes_splits"));
        var tree = new Tree(Array.ConvertAll(node.Ints("nodes_featureids")!, static v => (int)v),
            Array.ConvertAll(Numbers.Integers(TensorOf(node, "nodes_modes")), static m => ModeNames[m]), splits,
            Branch(node, "nodes_truenodeids", "nodes_trueleafs"), Branch(node, "nodes_falsenodeids", "nodes_falseleafs"),
            node.Ints("nodes_missing_value_tracks_true") is { } missing ? Array.ConvertAll(missing, static v => v != 0) : new bool[splits.Length])
        {
            Members = Members(node),
        };
        var (targets, weights) = (node.Ints("leaf_targetids")!, Numbers.Doubles(TensorOf(node, "leaf_weights")));
        var roots = node.Ints("tree_roots")!;
        var count = (int)node.Int("n_targets", 1);
        var aggregate = node.Int("aggregate_function", 1);
        var (values, features) = (Numbers.Doubles(x), (int)x.Shape[1]);
        var result = new double[x.Shape[0] * count];
        for (var n = 0; n < x.Shape[0]; n++)
        {
            var scores = result.AsSpan(n * count, count);
            scores.Fill(aggregate switch { 2 => double.PositiveInfinity, 3 => double.NegativeInfinity, _ => 0 });
            foreach (var root in roots)
            {
                var leaf = tree.Leaf((int)root, values.AsSpan(n * features, features));
                ref var score = ref scores[(int)targets[leaf]];
                score = aggregate switch { 2 => Math.Min(score, weights[leaf]), 3 => Math.Max(score, weights[leaf]), _ => score + weights[leaf] };
            }
            foreach (ref var score in scores)
                score = double.IsInfinity(score) ? 0 : aggregate == 0 ? score / roots.Length : score;
            PostTransform.Apply(scores, node.Int("post_transform") switch { 0 => "NONE", 1 => "SOFTMAX", 2 => "LOGISTIC", 3 => "SOFTMAX_ZERO", _ => "PROBIT" });
        }
        context.Set(0, Numbers.Of(x.ElementType, [x.Shape[0], count], result));
    }

    private static Tensor TensorOf(Node node, string attribute) => node.Attributes.GetValueOrDefault(attribute)?.Value as Tensor
        ?? throw new InvalidOperationException($"has no {attribute}");

    private static int[] Branch(Node node, string ids, string leaves)
    {
        var isLeaf = node.Ints(leaves)!;
        return [.. node.Ints(ids)!.Select((id, i) => isLeaf[i] != 0 ? ~(int)id : (int)id)];
    }

    // All sets in one list, ended by NaN each, in the order of the nodes that test membership.
    private static Dictionary<int, HashSet<double>> Members(Node node)
    {
        var members = new Dictionary<int, HashSet<double>>();
        if (node.Attributes.GetValueOrDefault("membership_values")?.Value is not Tensor list)
            return members;
        var values = new Queue<double>(Numbers.Doubles(list));
        var modes = Numbers.Integers(TensorOf(node, "nodes_modes"));
        for (var i = 0; i < modes.Length; i++)
        {
            if (modes[i] != 6)
                continue;
            var set = members[i] = [];
            while (values.TryDequeue(out var v) && !double.IsNaN(v))
                set.Add(v);
        }
        return members;
    }
}
