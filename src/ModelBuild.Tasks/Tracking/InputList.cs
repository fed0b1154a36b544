using System.Text;

namespace ModelBuild.Tasks;

/// <summary>
/// Lists all that the compiler's outcome depends on, one line each: files by path and stamp, the rest by value. The list is written to a file that changes only
/// when the list does, and MSBuild compares that file's time: a deleted or replaced input is noticed, and nothing large is read.
/// </summary>
internal sealed class InputList
{
    private readonly StringBuilder _text = new();

    /// <summary>Adds a value.</summary>
    public void Add(string name, string value) => _text.Append(name).Append('=').Append(value.Replace("\n", "\\n")).Append('\n');

    /// <summary>Adds a file, or the files below a folder.</summary>
    public void AddFiles(string path)
    {
        foreach (var file in DataFiles.Files(path))
            Add("file", FileStamp.Of(file) is { } stamp ? $"{file} {stamp}" : file);
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
