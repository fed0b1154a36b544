namespace ModelBuild.Compression;

/// <summary>The user's data, options or model cannot be worked with. Carries a diagnostic code and, where it is known, the item metadata at fault.</summary>
public sealed class CompressionException : Exception
{
    /// <summary>A new exception.</summary>
    /// <param name="code">Diagnostic code, <c>MDLB0xxx</c> to <c>MDLB2xxx</c>.</param>
    /// <param name="message">What is wrong and how to fix it.</param>
    /// <param name="metadata">The item metadata at fault, such as <c>CalibrationData</c>.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public CompressionException(string code, string message, string? metadata = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        Metadata = metadata;
    }

    /// <summary>The diagnostic code.</summary>
    public string Code { get; }

    /// <summary>The item metadata at fault, or null.</summary>
    public string? Metadata { get; }
}
