using ModelBuild.Compression;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler;

/// <summary>Where a command writes: never over what it reads, and said before the work begins.</summary>
internal static class OutputPath
{
    /// <summary>Refuses an output that is a folder, the model, a file of its weights, or existing data.</summary>
    /// <param name="output">The file to write.</param>
    /// <param name="model">The model that is read.</param>
    /// <param name="data">The data that is read: files, folders or globs.</param>
    /// <exception cref="CompressionException">MDLB0050.</exception>
    public static void Check(string output, string model, IEnumerable<string> data)
    {
        if (Directory.Exists(output) || Path.EndsInDirectorySeparator(output))
            throw new CompressionException(CompilerCodes.WouldOverwrite, $"'{output}' is a folder; give the name of the file to write");
        if (!File.Exists(output))
            return;
        var target = Real(output);
        var folder = Path.GetDirectoryName(Path.GetFullPath(model))!;
        IEnumerable<string> models = [model, .. model.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) && File.Exists(model) ? ExternalFiles.Of(model)
            .Select(f => Path.Combine(folder, f)) : []];
        if (models.Any(m => Real(m) == target))
            throw new CompressionException(CompilerCodes.WouldOverwrite, $"'{output}' is the model that is read; write to another file");
        if (data.Any(d => Real(d) == target || target.StartsWith(Real(Root(d)) + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
            throw new CompressionException(CompilerCodes.WouldOverwrite, $"'{output}' is part of the data that is read; write to another file");
    }

    /// <summary>The folder that a path or glob reads from; the path itself if it is a file.</summary>
    private static string Root(string path)
    {
        var wild = path.IndexOfAny(['*', '?']);
        return wild < 0 ? path : Path.GetDirectoryName(Path.GetFullPath(path[..wild] + "x"))!;
    }

    private static string Real(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return File.Exists(full) && File.ResolveLinkTarget(full, true) is { } target ? target.FullName : full;
    }
}
