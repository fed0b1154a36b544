using System.Text;

namespace ModelBuild.Tasks;

/// <summary>Writes files so that nobody sees half of one, also where several builds of a project write the same.</summary>
internal static class Files
{
    private const int Attempts = 20;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes a text unless the file holds it already.</summary>
    public static void WriteIfChanged(string path, string text)
    {
        if (!Holds(path, text))
            Write(path, text);
    }

    /// <summary>Writes a text through a temporary file beside the target.</summary>
    public static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = path + "." + Guid.NewGuid().ToString("N") + ".tmp";
        try
        {
            File.WriteAllText(temporary, text, Utf8);
            for (var attempt = 1; ; attempt++)
                try
                {
                    if (File.Exists(path))
                        File.Replace(temporary, path, null);
                    else
                        File.Move(temporary, path);
                    return;
                }
                // Another build made, or holds, the file in this moment.
                catch (Exception e) when (e is IOException or UnauthorizedAccessException && attempt < Attempts)
                {
                    Thread.Sleep(20);
                }
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static bool Holds(string path, string text)
    {
        try
        {
            return File.Exists(path) && File.ReadAllText(path, Utf8) == text;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
