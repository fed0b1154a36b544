namespace ModelBuild.Onnx;

/// <summary>Brings models to a newer version of the standard operator set, with exactly the same meaning.</summary>
public static class OpsetConverter
{
    /// <summary>The oldest operator set that can be upgraded.</summary>
    public const long MinOpset = 7;

    // The IR version that came with each operator set (onnx.ai, "Versioning"); tools of that time refuse an older one.
    private static readonly (long Opset, long Ir)[] IrOf =
        [(9, 4), (10, 5), (11, 6), (12, 7), (15, 8), (19, 9), (21, 10), (23, 11), (24, 12), (25, 13), (28, 14)];

    /// <summary>
    /// Upgrades a model in place. The IR version becomes at least what the operator set needs, and at least 4, so that initializers need not be inputs.
    /// A model that is at the target already, or beyond, keeps its operator set.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="target">The version of the standard operator set.</param>
    /// <exception cref="OnnxException">A node has no rule that keeps its meaning; nothing was changed then.</exception>
    public static void Upgrade(Model model, long target)
    {
        if (target > OnnxReader.MaxOpset)
            throw new OnnxException(OnnxErrors.Upgrade, $"operator set {target} is newer than {OnnxReader.MaxOpset}");
        var source = model.Opset;
        if (source < target && source > 0)
        {
            if (source < MinOpset)
                throw new OnnxException(OnnxErrors.Upgrade, $"operator set {source} is older than {MinOpset}, the oldest that can be upgraded");
            var rules = UpgradeRules.All.Where(r => r.Version > source && r.Version <= target).OrderBy(r => r.Version).ToArray();
            // Ranks are asked for by some rules; inference of the old model proves them.
            var facts = ShapeInference.Prove(model);
            foreach (var node in Nodes(model.Graph).ToArray())
                foreach (var rule in rules.Where(r => node.Is(r.OpType)))
                    if (rule.Refuse?.Invoke(node, facts) is { } reason)
                        throw new OnnxException(OnnxErrors.Upgrade,
                            $"{node.OpType} '{node.DisplayName}' cannot be brought to operator set {rule.Version}: {reason}", node.DisplayName);
            foreach (var version in rules.Select(r => r.Version).Distinct())
                foreach (var node in Nodes(model.Graph).ToArray())
                    if (rules.FirstOrDefault(r => r.Version == version && node.Is(r.OpType)) is { } rule)
                        rule.Apply(node, facts);
            model.Opset = target;
        }
        RaiseIr(model, Math.Max(4, IrOf.LastOrDefault(e => e.Opset <= model.Opset).Ir));
    }

    internal static void RaiseIr(Model model, long version)
    {
        if (model.IrVersion < 4)
            foreach (var initializer in model.Graph.Initializers)
                model.Graph.UnmarkInput(initializer);
        model.IrVersion = Math.Max(model.IrVersion, version);
    }

    private static IEnumerable<Node> Nodes(Graph graph) =>
        graph.Nodes.SelectMany(n => n.Attributes.Values.SelectMany(a => a.Graphs).SelectMany(Nodes).Append(n));
}
