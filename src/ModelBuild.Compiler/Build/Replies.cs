using System.Text.Json;
using System.Text.Json.Serialization;

namespace ModelBuild.Compiler.Build;

/// <summary>One line of the compiler's standard output (docs/formats.md).</summary>
internal sealed record Reply
{
    public required string Kind { get; init; }
    public required string Model { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Severity { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Code { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Metadata { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Node { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Class { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Cached { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Files { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Reports { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Summary { get; init; }
}

/// <summary>Writes replies, one a line, whole lines only: models are compiled side by side.</summary>
internal sealed class ReplyWriter(TextWriter output)
{
    private readonly Lock _lock = new();

    public void Write(Reply reply)
    {
        var line = JsonSerializer.Serialize(reply, BuildJson.Default.Reply);
        lock (_lock)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }
}
