using System.Security.Cryptography;
using System.Text;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;

namespace ModelBuild.Compiler;

/// <summary>The signature that artifacts made on the command line carry. Nobody checks it against a class: it only has to be the same for the same
/// interface.</summary>
internal static class SignatureOf
{
    public static byte[] Model(ModelSource source)
    {
        var description = DescriptionBuilder.Of((source.Simplified ?? source.Original).Graph);
        var text = new StringBuilder("modelbuild-signature 1\n");
        foreach (var (kind, tensors) in new[] { ("in", description.Inputs), ("out", description.Outputs) })
            foreach (var t in tensors)
                text.Append(kind).Append(' ').Append(t.Name).Append(' ').Append(t.ElementType).Append(' ')
                    .AppendJoin(',', t.Dimensions.IsDefault ? ["*"]
                        : t.Dimensions.Select(d => d.Size >= 0 ? $"{d.Size}" : d.Symbol >= 0 ? description.Symbols[d.Symbol] : "?")).Append('\n');
        return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
