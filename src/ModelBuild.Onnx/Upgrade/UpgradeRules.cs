namespace ModelBuild.Onnx;

/// <summary>
/// The changes of meaning or form between operator set 7 and 28. Versions of operators that only allow more element types, or whose new attributes default
/// to the old meaning, need no rule.
/// </summary>
internal static class UpgradeRules
{
    public static IReadOnlyList<UpgradeRule> All { get; } =
    [
        new("Upsample", 9, static (n, _) =>
            Attributes.ToInput(n, "scales", 1, static a => Tensor.Vector(a.Value is System.Collections.Immutable.ImmutableArray<float> f ? f.ToArray() : []))),
        new("Upsample", 10, UpsampleToResize.Apply),
        new("BatchNormalization", 9, static (n, _) => n.Attributes.Remove("spatial"), static (n, _) => n.Int("spatial", 1) == 0
            ? "statistics per element (spatial = 0) are gone" : null),
        new("Slice", 10, SliceUpgrade.Apply),
        new("TopK", 10, static (n, _) => Attributes.ToInput(n, "k", 1, static a => Tensor.Vector((long)a.Value))),
        new("Dropout", 10, DropoutUpgrade.ApplyType, DropoutUpgrade.RefuseType),
        new("Scan", 9, static (_, _) => { }, static (_, _) => "its batch dimension and sequence lengths are gone"),
        new("Resize", 11, ResizeUpgrade.Apply, ResizeUpgrade.Refuse),
        new("Clip", 11, ClipUpgrade.Apply),
        new("Pad", 11, PadUpgrade.Apply),
        new("Scatter", 11, static (n, _) => n.OpType = "ScatterElements"),
        new("Dropout", 12, DropoutUpgrade.Apply),
        new("Softmax", 13, SoftmaxUpgrade.Apply, SoftmaxUpgrade.Refuse),
        new("LogSoftmax", 13, SoftmaxUpgrade.Apply, SoftmaxUpgrade.Refuse),
        new("Hardmax", 13, SoftmaxUpgrade.Apply, SoftmaxUpgrade.Refuse),
        new("Squeeze", 13, static (n, _) => Attributes.IntsToInput(n, "axes", 1)),
        new("Unsqueeze", 13, static (n, _) => Attributes.IntsToInput(n, "axes", 1)),
        new("ReduceSum", 13, static (n, _) => Attributes.IntsToInput(n, "axes", 1)),
        new("Split", 13, static (n, _) => Attributes.IntsToInput(n, "split", 1)),
        new("BatchNormalization", 14, static (_, _) => { }, static (n, _) => n.Outputs.Skip(1).Any(static o => o.Name.Length > 0)
            ? "its statistics outputs changed" : null),
        new("RoiAlign", 16, static (n, _) => n.Attributes["coordinate_transformation_mode"] = "output_half_pixel"),
        .. new[] { "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare" }
            .Select(static op => new UpgradeRule(op, 18, static (n, _) => Attributes.IntsToInput(n, "axes", 1))),
        new("Split", 18, static (n, _) =>
        {
            if (n.Input(1) is null)
                n.Attributes["num_outputs"] = n.Outputs.Count;
        }),
        new("GridSample", 20, static (n, _) => n.Attributes["mode"] = n.String("mode", "bilinear") switch { "bilinear" => "linear", "bicubic" => "cubic",
            var m => m }),
        new("DFT", 20, static (n, _) => Attributes.ToInput(n, "axis", 2, static a => Tensor.Scalar((long)a.Value), Tensor.Scalar(1L))),
        .. RetiredOperators.Rules,
        new("GroupNormalization", 21, static (_, _) => { }, static (_, _) => "its scale and bias are per channel from there on, per group before"),
    ];
}
