namespace ModelBuild.Onnx;

/// <summary>Places that a model names, which must lie below its own folder; a symbolic link that leads out of it counts as outside.</summary>
internal static class ConfinedPath
{
    /// <summary>The full path of a location.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="location">The location as the model states it.</param>
    /// <param name="where">What names it, for the message.</param>
    /// <exception cref="OnnxException">MDLB1010: the location lies outside the folder.</exception>
    public static string Of(string folder, string location, string where)
    {
        var parts = location.Split('/', '\\');
        if (Path.IsPathRooted(location) || location.Contains(':') || location.Contains('\0') || parts.Any(p => p == ".."))
            throw Outside(location, where);
        var root = Path.GetFullPath(folder);
        var path = root;
        foreach (var part in parts)
        {
            if (part.Length == 0 || part == ".")
                continue;
            path = Path.Combine(path, part);
            FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
            try
            {
                if (info.LinkTarget is not null && (info.ResolveLinkTarget(true) is not { } target || !IsBelow(root, target.FullName)))
                    throw Outside(location, where);
            }
            catch (IOException e)
            {
                throw new OnnxException(OnnxErrors.ExternalData, $"the external data '{location}' of {where} cannot be opened: {e.Message}", null, e);
            }
        }
        return path;
    }

    private static bool IsBelow(string root, string path) => !Path.GetRelativePath(root, path).StartsWith("..", StringComparison.Ordinal)
        && !Path.IsPathRooted(Path.GetRelativePath(root, path));

    private static OnnxException Outside(string location, string where) =>
        new(OnnxErrors.ExternalData, $"the external data '{location}' of {where} lies outside the model's folder");
}
