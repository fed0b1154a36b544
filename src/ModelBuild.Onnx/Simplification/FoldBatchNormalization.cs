namespace ModelBuild.Onnx.Simplification;

/// <summary>Folds BatchNormalization into the Conv, ConvTranspose or Gemm before it.</summary>
internal sealed class FoldBatchNormalization : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (!node.Is("BatchNormalization") || node.Int("training_mode") != 0 || node.Int("spatial", 1) == 0 || node.Outputs.Skip(1)
            .Any(o => o.Name.Length > 0 && !o.IsUnused)
            || LinearLayer.Before(node.Input(0), context) is not { } layer)
            return false;
        var parameters = Enumerable.Range(1, 4).Select(i => context.Constant(node.Input(i))).ToArray();
        if (parameters.Any(p => p is null || p.Length != layer.Channels))
            return false;
        var (scale, bias, mean, variance) = (Numbers.Doubles(parameters[0]!), Numbers.Doubles(parameters[1]!), Numbers.Doubles(parameters[2]!),
            Numbers.Doubles(parameters[3]!));
        double epsilon = node.Float("epsilon", 1e-5f);
        var shift = new double[scale.Length];
        for (var c = 0; c < scale.Length; c++)
        {
            scale[c] /= Math.Sqrt(variance[c] + epsilon);
            shift[c] = bias[c] - mean[c] * scale[c];
        }
        if (!layer.CanChange(scale, shift) || !PassContext.CanReplace(node.Output, node.Input(0)!))
            return false;
        layer.Change(scale, shift, node);
        PassContext.Absorb(node, node.Input(0)!);
        return true;
    }
}
