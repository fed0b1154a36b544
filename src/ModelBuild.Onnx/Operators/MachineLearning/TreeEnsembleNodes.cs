using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>The trees of the older ensemble operators, whose nodes are numbered per tree and whose leaves are nodes.</summary>
internal static class TreeEnsembleNodes
{
    /// <summary>The trees, their roots, and for every leaf (numbered by its node) the votes.</summary>
    /// <param name="node">The operator's node.</param>
    /// <param name="prefix">"class" or "target".</param>
    public static (Tree Tree, int[] Roots, Dictionary<int, List<(int Target, double Weight)>> Votes) Read(Node node, string prefix)
    {
        long[] Ints(string name) => node.Ints(name) ?? throw new InvalidOperationException($"has no {name}");
        var (trees, ids) = (Ints("nodes_treeids"), Ints("nodes_nodeids"));
        string[] modes = node.Attributes.GetValueOrDefault("nodes_modes")?.Value is ImmutableArray<byte[]> m
            ? [.. m.Select(System.Text.Encoding.UTF8.GetString)] : throw new InvalidOperationException("has no nodes_modes");
        var places = new Dictionary<(long, long), int>();
        for (var i = 0; i < ids.Length; i++)
            places[(trees[i], ids[i])] = i;
        var (yes, no) = (Ints("nodes_truenodeids"), Ints("nodes_falsenodeids"));
        int Go(int from, long id) => modes[places[(trees[from], id)]] == "LEAF" ? ~places[(trees[from], id)] : places[(trees[from], id)];
        var tree = new Tree(Array.ConvertAll(Ints("nodes_featureids"), static v => (int)v), modes,
            node.Floats("nodes_values") is { } f ? Array.ConvertAll(f, static v => (double)v)
                : Numbers.Doubles((Tensor)node.Attributes["nodes_values_as_tensor"].Value),
            [.. ids.Select((_, i) => modes[i] == "LEAF" ? ~i : Go(i, yes[i]))], [.. ids.Select((_, i) => modes[i] == "LEAF" ? ~i : Go(i, no[i]))],
            node.Ints("nodes_missing_value_tracks_true") is { } missing ? Array.ConvertAll(missing, static v => v != 0) : new bool[ids.Length]);
        // The first node of each tree is its root.
        var roots = trees.Distinct().Select(t => Array.IndexOf(trees, t)).Select(i => modes[i] == "LEAF" ? ~i : i).ToArray();
        var votes = new Dictionary<int, List<(int, double)>>();
        var (voteTrees, voteNodes, voteTargets) = (Ints($"{prefix}_treeids"), Ints($"{prefix}_nodeids"), Ints($"{prefix}_ids"));
        var weights = node.Floats($"{prefix}_weights") is { } w ? Array.ConvertAll(w, static v => (double)v)
            : Numbers.Doubles((Tensor)node.Attributes[$"{prefix}_weights_as_tensor"].Value);
        for (var i = 0; i < voteTrees.Length; i++)
        {
            var at = places[(voteTrees[i], voteNodes[i])];
            if (!votes.TryGetValue(at, out var list))
                votes[at] = list = [];
            list.Add(((int)voteTargets[i], weights[i]));
        }
        return (tree, roots, votes);
    }

    /// <summary>The base values, or null.</summary>
    public static double[]? BaseValues(Node node) => node.Floats("base_values") is { } f ? Array.ConvertAll(f, static v => (double)v)
        : node.Attributes.GetValueOrDefault("base_values_as_tensor")?.Value is Tensor t ? Numbers.Doubles(t) : null;
}
