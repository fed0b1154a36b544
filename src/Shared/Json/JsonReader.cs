using System.Globalization;
using System.Text;

namespace ModelBuild.Shared;

/// <summary>
/// Reads JSON (RFC 8259) into plain values: <see cref="JsonObject"/>, <see cref="List{T}"/> of values, <see cref="string"/>, <see cref="double"/>,
/// <see cref="bool"/> and null. For the small files and lines that tasks, generator and compiler exchange.
/// </summary>
internal ref struct JsonReader
{
    // Our own documents nest less than ten deep; a bound keeps a hostile one from exhausting the stack.
    private const int MaxDepth = 64;

    private readonly string _text;
    private int _position;

    private JsonReader(string text)
    {
        _text = text;
        _position = 0;
    }

    /// <summary>The value that a text holds.</summary>
    /// <exception cref="JsonException">The text is not one JSON value.</exception>
    public static object? Parse(string text)
    {
        var reader = new JsonReader(text);
        var value = reader.Value(0);
        reader.SkipSpace();
        return reader._position == text.Length ? value : throw reader.Error("text after the value");
    }

    /// <summary>The object that a text holds.</summary>
    /// <exception cref="JsonException">The text is not one JSON object.</exception>
    public static JsonObject ParseObject(string text) => Parse(text) as JsonObject ?? throw new JsonException("an object was expected");

    private object? Value(int depth)
    {
        if (depth > MaxDepth)
            throw Error($"nested more than {MaxDepth} deep");
        SkipSpace();
        switch (Peek())
        {
            case '{':
                return Object(depth);
            case '[':
                return Array(depth);
            case '"':
                return String();
            case 't':
                return Word("true", true);
            case 'f':
                return Word("false", false);
            case 'n':
                return Word("null", null);
            default:
                return Number();
        }
    }

    private JsonObject Object(int depth)
    {
        var members = new Dictionary<string, object?>(StringComparer.Ordinal);
        _position++;
        SkipSpace();
        if (TryTake('}'))
            return new(members);
        do
        {
            SkipSpace();
            var name = String();
            SkipSpace();
            Take(':');
            members[name] = Value(depth + 1);
            SkipSpace();
        }
        while (TryTake(','));
        Take('}');
        return new(members);
    }

    private List<object?> Array(int depth)
    {
        var items = new List<object?>();
        _position++;
        SkipSpace();
        if (TryTake(']'))
            return items;
        do
        {
            items.Add(Value(depth + 1));
            SkipSpace();
        }
        while (TryTake(','));
        Take(']');
        return items;
    }

    private string String()
    {
        Take('"');
        var text = new StringBuilder();
        while (true)
        {
            var c = Peek();
            _position++;
            if (c == '"')
                return text.ToString();
            if (c < ' ')
                throw Error("a control character in a string");
            text.Append(c == '\\' ? Escape() : c);
        }
    }

    private char Escape()
    {
        var c = Peek();
        _position++;
        switch (c)
        {
            case '"' or '\\' or '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u' when _position + 4 <= _text.Length
                && ushort.TryParse(_text.Substring(_position, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code):
                _position += 4;
                return (char)code;
            default:
                throw Error("an unknown escape");
        }
    }

    private double Number()
    {
        var start = _position;
        TryTake('-');
        if (!TryTake('0'))
            Digits();
        if (TryTake('.'))
            Digits();
        if (TryTake('e') || TryTake('E'))
        {
            if (!TryTake('+'))
                TryTake('-');
            Digits();
        }
        return double.Parse(_text.Substring(start, _position - start), NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private void Digits()
    {
        var start = _position;
        while (_position < _text.Length && _text[_position] is >= '0' and <= '9')
            _position++;
        if (_position == start)
            throw Error("a value was expected");
    }

    private object? Word(string word, object? value)
    {
        if (string.CompareOrdinal(_text, _position, word, 0, word.Length) != 0)
            throw Error("a value was expected");
        _position += word.Length;
        return value;
    }

    private char Peek() => _position < _text.Length ? _text[_position] : throw Error("the text ends too early");

    private void Take(char c)
    {
        if (!TryTake(c))
            throw Error($"'{c}' was expected");
    }

    private bool TryTake(char c)
    {
        if (_position >= _text.Length || _text[_position] != c)
            return false;
        _position++;
        return true;
    }

    private void SkipSpace()
    {
        while (_position < _text.Length && _text[_position] is ' ' or '\t' or '\n' or '\r')
            _position++;
    }

    private readonly JsonException Error(string what) => new($"not valid JSON at character {_position}: {what}");
}
