namespace ModelBuild.Compression.Planning;

/// <summary>A candidate that did not come about.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Backend">The backend that it was made for, or empty where it failed before that.</param>
/// <param name="Why">What went wrong.</param>
public sealed record FailedRecipe(string Recipe, string Backend, string Why)
{
    /// <summary>What an exception says of a failure: with a code its own words; without one its kind too, for it is a defect of this program.</summary>
    public static string Reason(Exception e) => e is CompressionException or Onnx.OnnxException or ModelLoadException ? e.Message
        : e is OutOfMemoryException ? "it takes more memory than there is" : $"{e.GetType().Name}: {e.Message}";
}
