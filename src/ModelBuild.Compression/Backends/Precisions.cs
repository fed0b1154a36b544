namespace ModelBuild.Compression.Backends;

/// <summary>The precisions of operators in cost tables.</summary>
public static class Precisions
{
    /// <summary>Floats of 32 bits.</summary>
    public const string Float32 = "float32";

    /// <summary>Integers of 8 bits, with ranges known beforehand.</summary>
    public const string Int8 = "int8";

    /// <summary>Integers of 8 bits, whose ranges are found in each call.</summary>
    public const string DynamicInt8 = "dynamic-int8";
}
