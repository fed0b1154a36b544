namespace ModelBuild.Onnx;

/// <summary>Which other files a model's weights lie in.</summary>
public static class ExternalFiles
{
    /// <summary>The full paths of the files that a model names, in ordinal order, whether they exist or not. Only names are read; a corrupt model is not
    /// noticed.</summary>
    /// <exception cref="OnnxException">The model cannot be opened, or names a file outside its folder.</exception>
    public static IReadOnlyList<string> Of(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return MappedFile.Read(path, content => MessageScan.Of(content).Locations.Select(l => ConfinedPath.Of(folder, l, $"'{path}'")).ToList());
    }
}
