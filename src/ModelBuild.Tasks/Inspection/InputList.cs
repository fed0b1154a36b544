using System.Text;

namespace ModelBuild.Tasks;

/// <summary>
/// Lists all that the compiler's outcome depends on, one line each: files by path, size and time, the rest by value. The list is written to a file
/// that changes only when the list does, and MSBuild compares that file's time: a deleted or replaced input is noticed, and nothing is hashed.
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
        {
            var info = new FileInfo(file);
            _text.Append("file=").Append(file);
            if (info.Exists)
                _text.Append(FormattableString.Invariant($" {info.Length} {info.LastWriteTimeUtc.Ticks}"));
            _text.Append('\n');
        }
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
