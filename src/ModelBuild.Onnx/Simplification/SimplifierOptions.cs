namespace ModelBuild.Onnx;

/// <summary>Limits and choices of <see cref="Simplifier"/>.</summary>
public sealed record SimplifierOptions
{
    /// <summary>Values of named dimensions that are fixed, or null to fix none.</summary>
    public IReadOnlyDictionary<string, long>? FixedDimensions { get; init; }

    /// <summary>
    /// The standard operator set to bring an older model to first, so that patterns can be written as the operators that it brought (LayerNormalization 17,
    /// Gelu 20); 0 to keep the model's own.
    /// </summary>
    public long MinOpset { get; init; }

    /// <summary>Whether patterns are written as the operators that compute them, where that was measured to be no slower (decision 0009).</summary>
    public bool FusesPatterns { get; init; } = true;

    /// <summary>
    /// The largest constant, in bytes, that folding may make where that costs more than the constants that it replaces. A folded result that is no larger
    /// than its constant inputs is always kept.
    /// </summary>
    public long MaxFoldedBytes { get; init; } = 1 << 20;

    /// <summary>
    /// How much folding may compute per element of the model's constants, in elements made and multiply-adds, beyond a start of 2^28. What would take more
    /// stays in the graph.
    /// </summary>
    public long MaxFoldingWorkPerElement { get; init; } = 16;

    /// <summary>The most rounds over all passes; each round but the last changes something.</summary>
    public int MaxRounds { get; init; } = 50;
}
