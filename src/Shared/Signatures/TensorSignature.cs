namespace ModelBuild.Shared;

/// <summary>An input or output as the model declares it.</summary>
/// <param name="Name">The name in the model file.</param>
/// <param name="Type">The element type as docs/formats.md spells it: <c>float</c>, <c>int64</c>, ...</param>
/// <param name="Dimensions">The dimensions, outermost first; null where an output does not even declare its rank.</param>
internal sealed record TensorSignature(string Name, string Type, EquatableArray<SignatureDimension>? Dimensions)
{
    /// <summary>
    /// The dimension along which classes lie: the last one that is not 1, for classifiers over pictures end in [classes, 1, 1]; the last one where all are 1;
    /// -1 for a scalar, and where the rank is not declared.
    /// </summary>
    public int ClassAxis
    {
        get
        {
            if (Dimensions is not { } dimensions)
                return -1;
            for (var axis = dimensions.Count - 1; axis >= 0; axis--)
                if (dimensions[axis].Size != 1)
                    return axis;
            return dimensions.Count - 1;
        }
    }
}
