using System.Globalization;
using System.Text;

namespace ModelBuild.Shared;

/// <summary>Writes indented JSON (RFC 8259) with <c>\n</c> line ends: the same values give the same bytes on every machine.</summary>
internal sealed class JsonWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;
    private bool _first = true;
    // Arrays of numbers and names are written on one line.
    private int _inline;

    /// <summary>Opens an object, as a member where a name is given.</summary>
    public JsonWriter BeginObject(string? name = null) => Begin(name, '{');

    /// <summary>Closes an object.</summary>
    public JsonWriter EndObject() => End('}');

    /// <summary>Opens an array, as a member where a name is given.</summary>
    public JsonWriter BeginArray(string? name = null) => Begin(name, '[');

    /// <summary>Closes an array.</summary>
    public JsonWriter EndArray() => End(']');

    /// <summary>Writes a string or null.</summary>
    public JsonWriter Value(string? name, string? value)
    {
        Item(name);
        Quote(value);
        return this;
    }

    /// <summary>Writes a number.</summary>
    public JsonWriter Value(string? name, double value)
    {
        Item(name);
        _text.Append(value.ToString("R", CultureInfo.InvariantCulture));
        return this;
    }

    /// <summary>Writes true or false.</summary>
    public JsonWriter Value(string? name, bool value)
    {
        Item(name);
        _text.Append(value ? "true" : "false");
        return this;
    }

    /// <summary>Writes an array of strings on one line.</summary>
    public JsonWriter Strings(string name, IEnumerable<string> values) => Inline(name, values, static (writer, value) => writer.Value(null, value));

    /// <summary>Writes an array of numbers on one line.</summary>
    public JsonWriter Numbers(string name, IEnumerable<double> values) => Inline(name, values, static (writer, value) => writer.Value(null, value));

    /// <summary>Writes an array on one line.</summary>
    public JsonWriter Inline<T>(string name, IEnumerable<T> values, Action<JsonWriter, T> write)
    {
        BeginArray(name);
        _inline++;
        foreach (var value in values)
            write(this, value);
        EndArray();
        _inline--;
        return this;
    }

    /// <summary>The text so far, ended by a line feed.</summary>
    public override string ToString() => _text + "\n";

    private JsonWriter Begin(string? name, char bracket)
    {
        Item(name);
        _text.Append(bracket);
        _depth++;
        _first = true;
        return this;
    }

    private JsonWriter End(char bracket)
    {
        _depth--;
        if (!_first && _inline == 0)
            NewLine();
        _text.Append(bracket);
        _first = false;
        return this;
    }

    private void Item(string? name)
    {
        if (!_first)
            _text.Append(_inline > 0 ? ", " : ",");
        if (_depth > 0 && _inline == 0)
            NewLine();
        _first = false;
        if (name is null)
            return;
        Quote(name);
        _text.Append(": ");
    }

    private void NewLine() => _text.Append('\n').Append(' ', _depth * 2);

    private void Quote(string? value)
    {
        if (value is null)
        {
            _text.Append("null");
            return;
        }
        _text.Append('"');
        foreach (var c in value)
        {
            switch (c)
            {
                case '"' or '\\':
                    _text.Append('\\').Append(c);
                    break;
                case '\n':
                    _text.Append("\\n");
                    break;
                case '\r':
                    _text.Append("\\r");
                    break;
                case '\t':
                    _text.Append("\\t");
                    break;
                case < ' ' or '\u2028' or '\u2029':
                    _text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                    break;
                default:
                    _text.Append(c);
                    break;
            }
        }
        _text.Append('"');
    }
}
