namespace ModelBuild.Compression;

/// <summary>"Did you mean" for misspelt names.</summary>
public static class Suggestion
{
    /// <summary>A half sentence that names the nearest of the known names, or nothing where none is near.</summary>
    public static string For(string given, IEnumerable<string> known) => Shared.Suggestion.For(given, known) is { } best ? $"; did you mean '{best}'?" : "";
}
