using System.Text;

namespace ModelBuild.Generators;

/// <summary>Writes indented C#.</summary>
internal sealed class SourceWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;
    // Whether the next member needs an empty line before it.
    private bool _separate;

    /// <summary>Writes a line.</summary>
    public void Line(string text)
    {
        if (text.Length > 0)
            _text.Append(' ', _depth * 4).Append(text);
        _text.Append('\n');
    }

    /// <summary>Writes lines.</summary>
    public void Lines(IEnumerable<string> lines)
    {
        foreach (var line in lines)
            Line(line);
    }

    /// <summary>Starts a member: an empty line stands between it and the one before.</summary>
    public void Member()
    {
        if (_separate)
            Line("");
        _separate = true;
    }

    /// <summary>Writes a block in braces.</summary>
    public void Block(string header, Action body)
    {
        Line(header);
        Line("{");
        _depth++;
        _separate = false;
        body();
        _depth--;
        Line("}");
        _separate = true;
    }

    /// <summary>Writes one step further in.</summary>
    public void Indented(Action body)
    {
        _depth++;
        body();
        _depth--;
    }

    /// <summary>Writes a line that continues the one before, one step further in.</summary>
    public void Continued(string text) => Indented(() => Line(text));

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
