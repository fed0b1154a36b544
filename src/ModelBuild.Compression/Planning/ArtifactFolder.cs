using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>Where artifacts lie until it is decided which of them ship. Gone when it is disposed.</summary>
public sealed class ArtifactFolder : IDisposable
{
    private DirectoryInfo? _folder;
    private int _count;

    /// <summary>Writes a model.</summary>
    public Artifact Add(Model model)
    {
        var path = Next("onnx");
        OnnxWriter.Write(model, path);
        return Artifact.Of(path);
    }

    /// <summary>Writes a managed artifact.</summary>
    public Artifact Add(byte[] managed)
    {
        var path = Next("modelbuild");
        File.WriteAllBytes(path, managed);
        return Artifact.Of(path);
    }

    private string Next(string extension) => Path.Combine((_folder ??= WorkingFolder.CreateTemporary()).FullName, $"{_count++}.{extension}");

    /// <inheritdoc/>
    public void Dispose() => _folder?.Delete(true);
}
