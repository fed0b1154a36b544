using ModelBuild.Shared;

namespace ModelBuild.Generators;

/// <summary>A signature.json file: its content, or why it cannot be read. Equal by value.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Signature">The content, or null.</param>
/// <param name="Error">Why there is no content, else null.</param>
internal sealed record SignatureFile(string Path, ModelSignature? Signature, string? Error)
{
    /// <summary>Parses a file's text.</summary>
    public static SignatureFile Parse(string path, string? text)
    {
        try
        {
            return text is null ? new(path, null, "the file cannot be opened") : new(path, SignatureJson.Read(text), null);
        }
        catch (JsonException e)
        {
            return new(path, null, e.Message);
        }
    }
}
