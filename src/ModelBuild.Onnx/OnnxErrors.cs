namespace ModelBuild.Onnx;

/// <summary>The codes of errors in models, each explained in docs/diagnostics.</summary>
public static class OnnxErrors
{
    /// <summary>The file does not exist or cannot be opened.</summary>
    public const string FileNotReadable = "MDLB1001";

    /// <summary>The file is empty.</summary>
    public const string FileEmpty = "MDLB1002";

    /// <summary>The file is a Git LFS pointer, not the model.</summary>
    public const string GitLfsPointer = "MDLB1003";

    /// <summary>The file is truncated or corrupt.</summary>
    public const string Corrupt = "MDLB1004";

    /// <summary>The file is no ONNX model.</summary>
    public const string NotOnnx = "MDLB1005";

    /// <summary>The file's IR or operator set version is outside what is supported.</summary>
    public const string Version = "MDLB1006";

    /// <summary>Two things have the same name.</summary>
    public const string DuplicateName = "MDLB1007";

    /// <summary>A node or output refers to a value that does not exist, or nodes wait for each other.</summary>
    public const string Wiring = "MDLB1008";

    /// <summary>The data of a tensor does not fit its type and shape.</summary>
    public const string Tensor = "MDLB1009";

    /// <summary>External data lies outside the model's folder, is missing or too short.</summary>
    public const string ExternalData = "MDLB1010";

    /// <summary>A file or tensor is larger than the format or a limit allows.</summary>
    public const string TooLarge = "MDLB1011";

    /// <summary>Operators that are not supported.</summary>
    public const string UnsupportedOperator = "MDLB1012";

    /// <summary>An operator is given inputs or attributes that its specification does not allow.</summary>
    public const string InvalidOperator = "MDLB1013";

    /// <summary>The operator set cannot be upgraded.</summary>
    public const string Upgrade = "MDLB1014";

    /// <summary>Inputs given to a model do not fit it.</summary>
    public const string InvalidInput = "MDLB1015";
}
