namespace ModelBuild.Onnx;

/// <summary>
/// Two axes of a node that share a coordinate. One form serves axes that stay, move, are joined, cut apart, repeated, put one behind the other, or counted in
/// groups.
/// </summary>
/// <param name="From">The one end, of an input wherever one is an input.</param>
/// <param name="To">The other end, of an output wherever one is an output.</param>
/// <param name="Size">How many values the coordinate takes; unknown where the ends are plain and their size is not known.</param>
public sealed record AxisLink(AxisEnd From, AxisEnd To, Dimension Size)
{
    /// <summary>Whether the axes are one and the same, index by index.</summary>
    public bool IsPlain => From.IsPlain && To.IsPlain;

    /// <summary>Whether everything that <see cref="Coordinate"/> needs is a number.</summary>
    public bool IsNumeric => IsNumericEnd(From) && IsNumericEnd(To);

    /// <summary>The coordinate of an index, or null where the link says nothing of it.</summary>
    /// <exception cref="InvalidOperationException">The link depends on sizes that are no numbers.</exception>
    public long? Coordinate(AxisEnd end, long index)
    {
        var p = end.IsDescending ? end.Offset.Value - index : index - end.Offset.Value;
        if (p < 0)
            return null;
        var block = p / end.Inner.Value;
        if (!Size.IsConstant)
            return block;
        if (Size.Value == 0 || end.Outer.IsConstant && block >= Size.Value * end.Outer.Value)
            return null;
        return block % Size.Value;
    }

    private bool IsNumericEnd(AxisEnd end) => end.Inner is { IsConstant: true, Value: > 0 } && end.Offset.IsConstant
        && (Size.IsConstant ? end.Outer.IsConstant || end.Outer.IsUnknown : end.Outer == 1);

    /// <inheritdoc/>
    public override string ToString() => $"{From} = {To}, {Size} slices";
}
