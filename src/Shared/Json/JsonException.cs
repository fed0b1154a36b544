namespace ModelBuild.Shared;

/// <summary>A text is not JSON, or not the JSON that was expected.</summary>
internal sealed class JsonException(string message) : Exception(message);
