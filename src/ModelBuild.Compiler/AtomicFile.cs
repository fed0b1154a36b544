namespace ModelBuild.Compiler;

/// <summary>Writes files so that nobody ever sees half of one.</summary>
internal static class AtomicFile
{
    /// <summary>Writes bytes.</summary>
    public static void Write(string path, byte[] bytes) => Make(path, temporary => File.WriteAllBytes(temporary, bytes));

    /// <summary>Lets something write a file, under another name of the same folder until it is complete.</summary>
    public static void Make(string path, Action<string> write)
    {
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = $"{full}.{Guid.NewGuid():n}.tmp";
        try
        {
            write(temporary);
            File.Move(temporary, full, true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
