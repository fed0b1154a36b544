using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace ModelBuild.Generators;

/// <summary>Values as C# and XML text.</summary>
internal static class CSharpText
{
    /// <summary>A string literal.</summary>
    public static string Literal(string value) => SymbolDisplay.FormatLiteral(value, quote: true);

    /// <summary>A number, digits in groups of three.</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture).Replace(',', '_');

    /// <summary>Text for an XML comment, on one line; characters that XML 1.0 does not have are left out.</summary>
    public static string Xml(string text)
    {
        var escaped = new StringBuilder();
        foreach (var c in text)
        {
            switch (c)
            {
                case '<':
                    escaped.Append("&lt;");
                    break;
                case '>':
                    escaped.Append("&gt;");
                    break;
                case '&':
                    escaped.Append("&amp;");
                    break;
                case '\n' or '\r' or '\t' or '\u0085' or '\u2028' or '\u2029':
                    escaped.Append(' ');
                    break;
                default:
                    // Surrogates and non-characters may come unpaired from a damaged name; the compiler reads the file as UTF-16 text.
                    escaped.Append(c < ' ' || char.IsSurrogate(c) || c >= '\uFFFE' ? '?' : c);
                    break;
            }
        }
        return escaped.ToString();
    }

    /// <summary>An element type and shape as people read them: <c>float[batch, 3, 224, 224]</c>.</summary>
    public static string Describe(WrapperTensor tensor) => Xml($"{tensor.Signature.Type}{Shape(tensor)}");

    private static string Shape(WrapperTensor tensor) => tensor.Signature.Dimensions is { } dimensions
        ? $"[{string.Join(", ", dimensions.Select(d => d.IsConstant ? d.Size.ToString(CultureInfo.InvariantCulture) : d.Name ?? "?"))}]"
        : "[...]";
}
