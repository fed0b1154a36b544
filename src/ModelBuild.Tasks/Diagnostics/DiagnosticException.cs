namespace ModelBuild.Tasks;

/// <summary>Something in the project or the model is wrong; the build reports it with its code at the item.</summary>
/// <param name="code">The diagnostic code.</param>
/// <param name="message">What is wrong and how to fix it.</param>
/// <param name="metadata">The metadata that is at fault, where one is.</param>
internal sealed class DiagnosticException(string code, string message, string? metadata = null) : Exception(message)
{
    public string Code { get; } = code;

    public string? Metadata { get; } = metadata;
}
