using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// What ships, or what it is made from, as files: models may be larger than memory, and several candidates exist at once. An .onnx file of more than 2 GB keeps
/// weights in files beside it.
/// </summary>
public sealed class Artifact
{
    private Artifact(string path, IReadOnlyList<string> dataPaths)
    {
        Path = path;
        DataPaths = dataPaths;
        FileLength = new FileInfo(path).Length;
        Length = FileLength + dataPaths.Sum(p => new FileInfo(p).Length);
        Sha256 = FileHash.Of(path);
    }

    /// <summary>The file: an .onnx file or a managed artifact.</summary>
    public string Path { get; }

    /// <summary>Files with weights that the file names; mostly none.</summary>
    public IReadOnlyList<string> DataPaths { get; }

    /// <summary>Bytes of the file itself.</summary>
    public long FileLength { get; }

    /// <summary>Bytes of all files.</summary>
    public long Length { get; }

    /// <summary>SHA-256 of the file itself. Weights beside it are named by their own hash (<see cref="OnnxWriter"/>), so that it tells all of an artifact that
    /// was written here.</summary>
    public string Sha256 { get; }

    /// <summary>A file that exists.</summary>
    /// <exception cref="OnnxException">MDLB1010: it is an .onnx file that names a file outside its folder.</exception>
    public static Artifact Of(string path) => new(path, path.EndsWith(".modelbuild", StringComparison.Ordinal) ? [] : ExternalFiles.Of(path));

    /// <summary>Copies all files; those with weights keep their names.</summary>
    /// <param name="path">The file to make.</param>
    /// <exception cref="IOException">A file cannot be written, or is not what it was any more.</exception>
    public void CopyTo(string path)
    {
        foreach (var data in DataPaths)
            Copy(data, System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, System.IO.Path.GetFileName(data)));
        Copy(Path, path);
        if (FileHash.Of(path) != Sha256)
            throw new IOException($"'{Path}' changed while it was compressed");
    }

    // Models under version control may be read-only; what is made of them must be replaceable.
    private static void Copy(string from, string to)
    {
        File.Copy(from, to, true);
        File.SetAttributes(to, File.GetAttributes(to) & ~FileAttributes.ReadOnly);
    }
}
