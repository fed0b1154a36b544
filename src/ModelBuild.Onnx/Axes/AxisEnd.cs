namespace ModelBuild.Onnx;

/// <summary>
/// How the indices of an axis count a coordinate that it shares with another axis: <c>(p / Inner) % Size</c>, where p is the distance from
/// <see cref="Offset"/>.
/// </summary>
/// <param name="At">The axis.</param>
public sealed record AxisEnd(NodeAxis At)
{
    /// <summary>How many neighbouring indices have the same coordinate.</summary>
    public Dimension Inner { get; init; } = 1;

    /// <summary>The index at which the coordinate is 0.</summary>
    public Dimension Offset { get; init; } = 0;

    /// <summary>How often the coordinate runs through its range; unknown for as often as the axis has room.</summary>
    public Dimension Outer { get; init; } = 1;

    /// <summary>Whether the coordinate grows as the index falls.</summary>
    public bool IsDescending { get; init; }

    /// <summary>Whether index and coordinate are the same number.</summary>
    public bool IsPlain => Inner == 1 && Offset == 0 && Outer == 1 && !IsDescending;

    /// <inheritdoc/>
    public override string ToString() => IsPlain ? At.ToString() : $"{At} (inner {Inner}, from {Offset}{(IsDescending ? " down" : "")}, {Outer} times)";
}
