using ModelBuild.Onnx.Simplification;

namespace ModelBuild.Onnx;

/// <summary>
/// Rewrites models into smaller ones that compute the same: local functions inlined, constants folded, shape arithmetic resolved, normalization folded into
/// weights, nodes without effect, duplicates and dead channels removed. It holds for all shapes that the model runs on: what the model declares beyond what
/// inference proves is not used. Names, types and order of graph inputs and outputs never change, except that initializers are listed as inputs no more: their
/// values are taken for constants. The sources of nodes are united.
/// </summary>
public static class Simplifier
{
    private const long MinFoldingWork = 1 << 28;

    private static readonly GraphPass[] Passes =
    [
        new ConstantNodes(),
        new FoldConstants(),
        new InlineIf(),
        new ResolveShapes(),
        new RemoveNoOps(),
        new MergeTransposes(),
        new MergeViews(),
        new MergeSlices(),
        // Before factors and summands move into neighbours, where no pattern would find them.
        new FusePatterns(),
        new MergeFactors(),
        new MergeEqualShapes(),
        new MergeDuplicates(),
        new FoldBatchNormalization(),
        new FoldAffine(),
        new FoldPad(),
        new MatMulAddToGemm(),
        new RemoveZeroStates(),
        new RemoveDead(),
        // Last: it follows channels through all that is left.
        new RemoveDeadChannels(),
    ];

    /// <summary>Simplifies a model in place.</summary>
    /// <param name="model">The model. Its IR version is raised to 4 if it is older, so that initializers need not be inputs.</param>
    /// <param name="options">Limits, or null for the defaults.</param>
    /// <exception cref="OnnxException">A node contradicts its operator's definition.</exception>
    public static void Run(Model model, SimplifierOptions? options = null)
    {
        options ??= new();
        FunctionInliner.Run(model);
        if (options.MinOpset > model.Opset)
            OpsetConverter.Upgrade(model, options.MinOpset);
        OpsetConverter.RaiseIr(model, 4);
        foreach (var initializer in model.Graph.Initializers)
            model.Graph.UnmarkInput(initializer);
        TrimInputs(model.Graph);
        using var budget = WorkBudget.Limit(MinFoldingWork + options.MaxFoldingWorkPerElement * model.Graph.Initializers.Sum(static v => v.Constant!.Length));
        ShapeInference.Run(model, options.FixedDimensions);
        var inference = ShapeInference.Prove(model);
        for (var round = 0; round < options.MaxRounds; round++)
        {
            var changed = false;
            foreach (var pass in Passes)
            {
                if (!pass.Run(model.Graph, new(model, inference, options)))
                    continue;
                changed = true;
                inference = ShapeInference.Prove(model);
            }
            if (!changed)
                break;
        }
        ShapeInference.Run(model);
    }

    /// <summary>Replaces each If whose condition is a constant by the branch that is taken; nothing else is changed.</summary>
    /// <param name="model">The model; changed in place.</param>
    public static void InlineBranches(Model model)
    {
        var pass = new InlineIf();
        while (pass.Run(model.Graph, new(model, ShapeInference.Prove(model), new())))
        {
        }
    }

    private static void TrimInputs(Graph graph)
    {
        foreach (var node in graph.Nodes)
        {
            node.TrimInputs();
            foreach (var inner in node.Attributes.Values.SelectMany(static a => a.Graphs))
                TrimInputs(inner);
        }
    }
}
