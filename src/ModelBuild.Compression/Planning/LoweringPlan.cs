namespace ModelBuild.Compression.Planning;

/// <summary>What a backend chose when it turned a model into its own form: the last part of a plan. Carried out again it needs no data.</summary>
/// <param name="Winograd">3x3 convolutions that Winograd's algorithm could compute, with what it is off by.</param>
public sealed record LoweringPlan(IReadOnlyList<WinogradLayer> Winograd)
{
    /// <summary>Whether a convolution is computed by Winograd's algorithm.</summary>
    /// <param name="key">The node, by <see cref="Onnx.Node.Key"/>.</param>
    public bool IsByWinograd(string key) => Winograd.Any(l => l.IsTaken && l.Key == key);
}

/// <summary>A 3x3 convolution that Winograd's algorithm F(4x4, 3x3) could compute, with fewer products and more rounding.</summary>
/// <param name="Key">The node, by <see cref="Onnx.Node.Key"/> in the simplified model.</param>
/// <param name="IsTaken">Whether the algorithm computes it: its error is little enough.</param>
/// <param name="Error">The largest difference from the direct convolution, over the largest of its results, rounded up to one digit; null where it is not
/// finite, or could not be told.</param>
public sealed record WinogradLayer(string Key, bool IsTaken, double? Error = null);
