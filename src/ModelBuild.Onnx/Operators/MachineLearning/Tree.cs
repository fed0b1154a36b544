namespace ModelBuild.Onnx.Operators;

/// <summary>Decision trees of an ensemble: nodes in one array, leaves in another.</summary>
/// <param name="Features">The feature that a node looks at.</param>
/// <param name="Modes">How it compares.</param>
/// <param name="Splits">What it compares with.</param>
/// <param name="Yes">The node or leaf where the comparison holds; leaves as their complement (~leaf).</param>
/// <param name="No">The node or leaf where it does not.</param>
/// <param name="MissingIsYes">Whether NaN counts as holding.</param>
internal sealed record Tree(int[] Features, string[] Modes, double[] Splits, int[] Yes, int[] No, bool[] MissingIsYes)
{
    /// <summary>Sets of members, for nodes that test membership.</summary>
    public Dictionary<int, HashSet<double>> Members { get; init; } = [];

    /// <summary>The leaf that a sample reaches from a root.</summary>
    public int Leaf(int root, ReadOnlySpan<double> sample)
    {
        var at = root;
        // No path is longer than there are nodes, or the tree has a cycle.
        for (var steps = 0; at >= 0; steps++)
        {
            if (steps > Features.Length)
                throw new InvalidOperationException("a tree has a cycle");
            var x = sample[Features[at]];
            var holds = double.IsNaN(x) ? MissingIsYes[at] : Modes[at] switch
            {
                "BRANCH_LEQ" => x <= Splits[at],
                "BRANCH_LT" => x < Splits[at],
                "BRANCH_GTE" => x >= Splits[at],
                "BRANCH_GT" => x > Splits[at],
                "BRANCH_EQ" => x == Splits[at],
                "BRANCH_NEQ" => x != Splits[at],
                "BRANCH_MEMBER" => Members[at].Contains(x),
                var m => throw new InvalidOperationException($"unknown mode '{m}'"),
            };
            at = holds ? Yes[at] : No[at];
        }
        return ~at;
    }
}
