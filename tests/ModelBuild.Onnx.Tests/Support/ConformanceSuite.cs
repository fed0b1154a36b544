using System.IO.Compression;

namespace ModelBuild.Onnx.Tests;

/// <summary>One case of the ONNX operator tests: a model, and sets of inputs with the outputs they must give.</summary>
internal sealed record ConformanceCase(string Name, byte[] Model, IReadOnlyList<ConformanceData> Data, string OnnxRuntime);

/// <summary>Serialized values, in the order of the model's inputs and outputs.</summary>
internal sealed record ConformanceData(IReadOnlyList<byte[]> Inputs, IReadOnlyList<byte[]> Outputs);

/// <summary>The published ONNX test vectors, read in place.</summary>
internal static class ConformanceSuite
{
    /// <summary>All cases of an archive, with what ONNX Runtime makes of each where a table tells ("pass", "refused", ...).</summary>
    public static IEnumerable<ConformanceCase> Read(string archive, string? table = null)
    {
        var verdicts = table is null ? [] : File.ReadLines(table).Skip(1).Select(l => l.Split('\t')).ToDictionary(c => c[0], c => c[3]);
        using var zip = ZipFile.OpenRead(archive);
        var groups = zip.Entries.Where(e => e.Name.EndsWith(".onnx", StringComparison.Ordinal) || e.Name.EndsWith(".pb", StringComparison.Ordinal))
            .GroupBy(e => e.FullName.Contains("/test_data_set_", StringComparison.Ordinal)
                ? e.FullName[..e.FullName.IndexOf("/test_data_set_", StringComparison.Ordinal)]
                : e.Name == "model.onnx" ? Path.GetDirectoryName(e.FullName)! : e.FullName);
        foreach (var group in groups.OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            if (group.FirstOrDefault(e => e.Name.EndsWith(".onnx", StringComparison.Ordinal)) is not { } model)
                continue;
            var sets = group.Where(e => e.Name.EndsWith(".pb", StringComparison.Ordinal)).GroupBy(e => Path.GetDirectoryName(e.FullName)!)
                .OrderBy(s => s.Key, StringComparer.Ordinal)
                .Select(s => new ConformanceData(Files(s, "input_"), Files(s, "output_"))).ToArray();
            var name = Path.GetFileName(group.Key);
            yield return new(name, Bytes(model), sets, verdicts.GetValueOrDefault(name, "unknown"));
        }
    }

    private static byte[][] Files(IEnumerable<ZipArchiveEntry> entries, string prefix) =>
        [.. entries.Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal)).OrderBy(e => int.Parse(e.Name[prefix.Length..^3])).Select(Bytes)];

    private static byte[] Bytes(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
