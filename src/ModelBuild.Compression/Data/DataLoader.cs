using Microsoft.Extensions.FileSystemGlobbing;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>Opens what <c>CalibrationData</c> and <c>EvaluationData</c> name: .npz and .npy files, folders and globs of them, ONNX test data,
/// pictures.</summary>
public static class DataLoader
{
    /// <summary>Opens data.</summary>
    /// <param name="paths">Full paths of files or folders, or globs (<c>*</c>, <c>**</c>, <c>?</c>).</param>
    /// <param name="model">The interface that the data must fit.</param>
    /// <param name="images">How pictures become inputs.</param>
    /// <param name="metadata">The item metadata that named the paths.</param>
    /// <returns>The samples, or null where no path was given.</returns>
    /// <exception cref="CompressionException">MDLB1109: nothing is there; MDLB1110 to MDLB1117: it cannot be read or does not fit.</exception>
    public static Dataset? Open(IReadOnlyList<string> paths, ModelInterface model, ImageOptions images, string metadata)
    {
        if (paths.Count == 0)
            return null;
        var found = paths.SelectMany(p => Expand(p, metadata)).ToList();
        if (TensorProtoFolder.TryOpen(found, model, metadata) is { } protos)
            return protos;
        if (ImageFolder.TryOpen(found, model, images, metadata) is { } pictures)
            return pictures;
        var files = found.SelectMany(ArrayFiles).ToList();
        if (files.Count == 0)
            throw new CompressionException(Codes.DataMissing, $"{metadata}: '{paths[0]}' holds no .npz, .npy, input_0.pb or picture", metadata);

        // .npy files together are one set of arrays, named by the files; each .npz is a set of its own.
        var sets = files.Where(f => f.EndsWith(".npz", StringComparison.OrdinalIgnoreCase)).Select(f => (Origin: f, Arrays: ReadNpz(f, metadata))).ToList();
        var single = files.Where(f => f.EndsWith(".npy", StringComparison.OrdinalIgnoreCase)).ToList();
        if (single.Count > 0)
            sets.Add((single[0], single.ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => ReadNpy(f, metadata), StringComparer.Ordinal)));
        if (sets.Count == 0)
            throw new CompressionException(Codes.DataMissing,
                $"{metadata}: '{files[0]}' is of no known kind; give .npz, .npy, a folder of them, ONNX test_data_set_* folders or pictures", metadata);
        // A file may hold what another lacks (constants beside the samples): where one does not stand alone, all are taken together.
        if (sets.Count > 1 && sets.All(s => model.Inputs.Count > 1
            && model.Inputs.Any(i => !s.Arrays.ContainsKey(i.Name) && !s.Arrays.ContainsKey(i.CSharpName))))
            sets = [(sets[0].Origin, sets.SelectMany(s => s.Arrays).DistinctBy(a => a.Key).ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal))];
        var data = sets.Select(s => (Dataset)new ArrayDataset(s.Arrays, model, s.Origin, metadata)).ToList();
        return data.Count == 1 ? data[0] : new Joined(data, metadata);
    }

    private static IEnumerable<string> ArrayFiles(string path) => !Directory.Exists(path) ? [path]
        : Directory.EnumerateFiles(path)
            .Where(f => f.EndsWith(".npz", StringComparison.OrdinalIgnoreCase) || f.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal);

    /// <summary>The files and folders that a path or glob names.</summary>
    /// <param name="path">A full path or glob.</param>
    /// <param name="metadata">The item metadata that named it.</param>
    /// <exception cref="CompressionException">MDLB1109: nothing is there.</exception>
    public static IReadOnlyList<string> Expand(string path, string metadata)
    {
        if (File.Exists(path) || Directory.Exists(path))
            return [path];
        var wild = path.IndexOfAny(['*', '?']);
        if (wild < 0)
            throw new CompressionException(Codes.DataMissing, $"{metadata}: '{path}' does not exist", metadata);
        var root = Path.GetDirectoryName(path[..wild]) is { Length: > 0 } r ? r : ".";
        var pattern = path[root.Length..].TrimStart('/', '\\');
        if (!Directory.Exists(root))
            throw new CompressionException(Codes.DataMissing, $"{metadata}: '{root}' does not exist", metadata);
        var files = new Matcher(StringComparison.Ordinal).AddInclude(pattern).GetResultsInFullPath(root).Order(StringComparer.Ordinal).ToList();
        // test_data_set_* names folders, which the matcher does not give.
        if (files.Count == 0)
            files = [.. Directory.EnumerateDirectories(root, Path.GetFileName(pattern)).Order(StringComparer.Ordinal)];
        return files.Count > 0 ? files : throw new CompressionException(Codes.DataMissing, $"{metadata}: no file matches '{path}'", metadata);
    }

    private static Dictionary<string, NpyArray> ReadNpz(string path, string metadata) => Guard(path, metadata, () => NpzReader.Read(path));

    // A large array keeps the file open: it is read sample by sample.
    private static NpyArray ReadNpy(string path, string metadata) => Guard(path, metadata, () =>
    {
        var stream = File.OpenRead(path);
        return NpyReader.Open(stream, stream.Length, path);
    });

    private static T Guard<T>(string path, string metadata, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (CompressionException e) when (e.Metadata is null)
        {
            throw new CompressionException(e.Code, e.Code == Codes.DataUnreadable ? $"{e.Message.TrimEnd('.')}. {DamagedFile.Advice(path)}" : e.Message,
                metadata, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CompressionException(Codes.DataMissing, $"{metadata}: '{path}' cannot be opened: {e.Message}", metadata, e);
        }
    }

    /// <summary>Several data sets one after the other.</summary>
    private sealed class Joined(IReadOnlyList<Dataset> parts, string metadata) : Dataset
    {
        public override int Count { get; } = parts.Sum(p => p.Count);

        public override bool HasLabels { get; } = parts.Any(p => p.HasLabels);

        public override IReadOnlySet<string> ExpectedOutputs { get; } = parts.Select(p => p.ExpectedOutputs)
            .Aggregate((a, b) => a.Intersect(b).ToHashSet(StringComparer.Ordinal));

        public override bool MayHoldNonFinite { get; } = parts.Any(p => p.MayHoldNonFinite);

        public override IReadOnlyList<Finding> Findings { get; } = [.. parts.SelectMany(p => p.Findings), .. parts.SelectMany(p => p.ExpectedOutputs)
            .CountBy(o => o).Where(o => o.Value < parts.Count)
            .Select(o => new Finding(Severity.Warning, Codes.ArrayUnused,
                $"the expected values '{o.Key}' are not used: {o.Value} of the {parts.Count} files of {metadata} have them, and all need them", metadata))];

        public override Sample this[int index]
        {
            get
            {
                foreach (var part in parts)
                {
                    if (index < part.Count)
                        return part[index];
                    index -= part.Count;
                }
                throw new ArgumentOutOfRangeException(nameof(index));
            }
        }
    }
}
