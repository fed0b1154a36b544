using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>A line that the compiler wrote on standard output (docs/formats.md).</summary>
internal abstract record CompilerReply(string? Model, string? Class)
{
    /// <summary>Something to show while it works.</summary>
    public sealed record Progress(string? Model, string? Class, string Text) : CompilerReply(Model, Class);

    /// <summary>An error, warning or message with a code.</summary>
    public sealed record Diagnostic(string? Model, string? Class, string Severity, string Code, string? Metadata, string? Node, string Text)
        : CompilerReply(Model, Class);

    /// <summary>A model is done.</summary>
    public sealed record Result(string? Model, string? Class, EquatableArray<string> Files, EquatableArray<string> Reports, string? Summary)
        : CompilerReply(Model, Class);

    /// <summary>Reads a line.</summary>
    /// <exception cref="JsonException">The line is not a reply.</exception>
    public static CompilerReply Parse(string line)
    {
        var json = JsonReader.ParseObject(line);
        var model = json.OptionalString("model");
        var name = json.OptionalString("class");
        return json.String("kind") switch
        {
            "progress" => new Progress(model, name, json.String("text")),
            "diagnostic" => new Diagnostic(
                model, name, json.String("severity"), json.String("code"), json.OptionalString("metadata"), json.OptionalString("node"), json.String("text")),
            "result" => new Result(model, name, json.Strings("files").ToEquatableArray(), json.Strings("reports").ToEquatableArray(),
                json.OptionalString("summary")),
            var kind => throw new JsonException($"kind \"{kind}\" is not known"),
        };
    }
}
