namespace ModelBuild.Onnx;

/// <summary>
/// Operators of the standard set that were experiments and are gone from operator set 10 on. ONNX Runtime still runs older models with them, on floats. Each is
/// written with operators that stayed, as far as there are any.
/// </summary>
internal static class RetiredOperators
{
    public static IReadOnlyList<UpgradeRule> Rules { get; } =
    [
        // Attributes of the old form: statistics over the batch and the places, and over the channels too if asked for.
        new("MeanVarianceNormalization", 9, Normalization),
        new("Affine", 10, static (n, _) => Linear(n, n.Float("alpha", 1), n.Float("beta"))),
        new("Scale", 10, static (n, _) => Linear(n, n.Float("scale", 1), 0)),
        new("ImageScaler", 10, static (n, _) =>
        {
            var bias = n.Floats("bias") ?? [];
            Become(n, "Mul", Tensor.Scalar(n.Float("scale", 1)));
            if (bias.Length > 0)
                Attributes.After(n, "Add", Attributes.Constant(n, "bias", Tensor.Of(bias, bias.Length, 1, 1)));
        }),
        new("ScaledTanh", 10, static (n, _) => ScaledBothWays(n, "Tanh"), NeedsFactors),
        new("ParametricSoftplus", 10, static (n, _) => ScaledBothWays(n, "Softplus"), NeedsFactors),
        new("Crop", 10, static (n, _) => Crop(n), static (n, _) => n.Ints("border") is { Length: 4 } && n.Ints("scale") is null or { Length: 2 } ? null
            : "its border is not stated"),
        // The same inputs in the same order.
        new("DynamicSlice", 10, static (n, _) => n.OpType = "Slice"),
        .. new[] { "ATen", "ConstantFill", "GivenTensorFill", "GRUUnit" }
            .Select(static op => new UpgradeRule(op, 10, static (_, _) => { }, static (_, _) => "it was an experiment that ended there")),
    ];

    private static void Normalization(Node node, InferenceResult _)
    {
        long[] axes = node.Int("across_channels") != 0 ? [0, 1, 2, 3] : [0, 2, 3];
        var normalizes = node.Int("normalize_variance", 1) != 0;
        node.Attributes.Clear();
        if (normalizes)
        {
            node.Attributes["axes"] = axes;
            return;
        }
        var mean = node.Graph.AddNode("ReduceMean", [node.Input(0)], [$"{node.Output.Name}/mean"], before: node);
        mean.Attributes["axes"] = axes;
        mean.Sources = node.Sources;
        node.OpType = "Sub";
        node.SetInput(1, mean.Output);
    }

    /// <summary>alpha * x + beta.</summary>
    private static void Linear(Node node, float alpha, float beta)
    {
        Become(node, "Mul", Tensor.Scalar(alpha));
        if (beta != 0)
            Attributes.After(node, "Add", Attributes.Constant(node, "beta", Tensor.Scalar(beta)));
    }

    /// <summary>alpha * f(beta * x).</summary>
    private static void ScaledBothWays(Node node, string function)
    {
        var (alpha, beta) = (Attributes.Constant(node, "alpha", Tensor.Scalar(node.Float("alpha"))),
            Attributes.Constant(node, "beta", Tensor.Scalar(node.Float("beta"))));
        Become(node, function, null);
        Attributes.Before(node, 0, "Mul", beta);
        Attributes.After(node, "Mul", alpha);
    }

    private static string? NeedsFactors(Node node, InferenceResult _) =>
        node.Attributes.ContainsKey("alpha") && node.Attributes.ContainsKey("beta") ? null : "its factors are not stated";

    /// <summary>Borders (left, top, right, bottom) are cut off; or a height and width are kept, from left and top on.</summary>
    private static void Crop(Node node)
    {
        var (border, scale) = (node.Ints("border")!, node.Ints("scale"));
        long[] starts = [border[1], border[0]];
        long[] ends = scale is null ? [border[3] == 0 ? long.MaxValue : -border[3], border[2] == 0 ? long.MaxValue : -border[2]]
            : [starts[0] + scale[0], starts[1] + scale[1]];
        Become(node, "Slice", Tensor.Vector(starts));
        node.SetInput(2, Attributes.Constant(node, "ends", Tensor.Vector(ends)));
        node.SetInput(3, Attributes.Constant(node, "axes", Tensor.Vector(2L, 3L)));
    }

    private static void Become(Node node, string opType, Tensor? second)
    {
        node.OpType = opType;
        node.Attributes.Clear();
        if (second is not null)
            node.SetInput(1, Attributes.Constant(node, "second", second));
    }
}
