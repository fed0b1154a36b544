namespace ModelBuild.Shared;

/// <summary>A declared dimension: constant, named, or (in outputs) unnamed.</summary>
/// <param name="Size">The constant size, or -1.</param>
/// <param name="Name">The name of a named dimension, else null.</param>
internal readonly record struct SignatureDimension(long Size, string? Name)
{
    /// <summary>A constant dimension.</summary>
    public static SignatureDimension Constant(long size) => new(size, null);

    /// <summary>A named dimension.</summary>
    public static SignatureDimension Named(string name) => new(-1, name);

    /// <summary>A dimension that only a run can tell.</summary>
    public static SignatureDimension Unnamed => new(-1, null);

    /// <summary>Whether the size is constant.</summary>
    public bool IsConstant => Size >= 0;
}
