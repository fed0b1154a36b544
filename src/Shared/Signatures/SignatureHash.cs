using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ModelBuild.Shared;

/// <summary>The canonical text of a signature and its hash, as docs/formats.md defines them.</summary>
internal static class SignatureHash
{
    /// <summary>SHA-256 of <see cref="CanonicalText"/>, lower-case hexadecimal.</summary>
    public static string Of(ModelSignature signature)
    {
        using var sha = SHA256.Create();
        return string.Concat(sha.ComputeHash(Encoding.UTF8.GetBytes(CanonicalText(signature))).Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));
    }

    /// <summary>One line a tensor, lines ended by <c>\n</c>.</summary>
    public static string CanonicalText(ModelSignature signature)
    {
        var text = new StringBuilder("modelbuild-signature 1\n");
        foreach (var tensor in signature.Inputs)
            Append(text, "in", tensor);
        foreach (var tensor in signature.Outputs)
            Append(text, "out", tensor);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string kind, TensorSignature tensor)
    {
        text.Append(kind).Append(' ');
        Escape(text, tensor.Name);
        text.Append(' ').Append(tensor.Type).Append(' ');
        if (tensor.Dimensions is { } dimensions)
            for (var i = 0; i < dimensions.Count; i++)
            {
                if (i > 0)
                    text.Append(',');
                if (dimensions[i].IsConstant)
                    text.Append(dimensions[i].Size.ToString(CultureInfo.InvariantCulture));
                else if (dimensions[i].Name is { } name)
                    Escape(text, name);
                else
                    text.Append('?');
            }
        else
            text.Append('*');
        text.Append('\n');
    }

    private static void Escape(StringBuilder text, string name)
    {
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            var c = (char)b;
            if (c is >= 'A' and <= 'Z' or >= 'a' and <= 'z' or >= '0' and <= '9' or '_' or '.' or '/' or ':' or '-')
                text.Append(c);
            else
                text.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
    }
}
