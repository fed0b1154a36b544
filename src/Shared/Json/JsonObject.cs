namespace ModelBuild.Shared;

/// <summary>The members of a JSON object, read by name and type.</summary>
internal sealed class JsonObject(IReadOnlyDictionary<string, object?> members)
{
    /// <summary>The value of a member; null where it is absent or null.</summary>
    public object? this[string name] => members.TryGetValue(name, out var value) ? value : null;

    /// <summary>A member that must be a string.</summary>
    /// <exception cref="JsonException">It is absent or something else.</exception>
    public string String(string name) => this[name] as string ?? throw Wrong(name, "a string");

    /// <summary>A member that is a string, null or absent.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public string? OptionalString(string name) => this[name] is null ? null : String(name);

    /// <summary>A member that must be a number.</summary>
    /// <exception cref="JsonException">It is absent or something else.</exception>
    public double Number(string name) => this[name] as double? ?? throw Wrong(name, "a number");

    /// <summary>A member that must be true or false.</summary>
    /// <exception cref="JsonException">It is absent or something else.</exception>
    public bool Boolean(string name) => this[name] as bool? ?? throw Wrong(name, "true or false");

    /// <summary>A member that must be an array.</summary>
    /// <exception cref="JsonException">It is absent or something else.</exception>
    public IReadOnlyList<object?> Array(string name) => this[name] as List<object?> ?? throw Wrong(name, "an array");

    /// <summary>A member that must be an array of strings, or is absent.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public IEnumerable<string> Strings(string name) =>
        this[name] is null ? [] : Array(name).Select(item => item as string ?? throw Wrong(name, "an array of strings"));

    private static JsonException Wrong(string name, string expected) => new($"\"{name}\" is not {expected}");
}
