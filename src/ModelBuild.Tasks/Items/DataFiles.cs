using System.Text;
using System.Text.RegularExpressions;

namespace ModelBuild.Tasks;

/// <summary>Files, folders and globs that metadata name.</summary>
internal static class DataFiles
{
    /// <summary>The full paths of the parts of a list, globs expanded to the files that they match, or else to the folders, in ordinal order.</summary>
    /// <exception cref="DiagnosticException">A file is missing, or a glob matches none; where lock files are applied, such parts are left out.</exception>
    public static IReadOnlyList<string> Expand(ProjectContext project, string metadata, string list)
    {
        var paths = new List<string>();
        foreach (var part in list.Split([';'], StringSplitOptions.RemoveEmptyEntries).Select(part => part.Trim()).Where(part => part.Length > 0))
        {
            var path = project.FullPath(part);
            if (File.Exists(path) || Directory.Exists(path))
                paths.Add(path);
            else if (part.IndexOfAny(['*', '?']) >= 0)
            {
                var matches = Glob(path);
                if (matches.Count == 0 && !project.LockedMode)
                    throw new DiagnosticException(Codes.MissingData, $"{metadata}: no file matches \"{part}\" (looked in {project.Directory}).", metadata);
                paths.AddRange(matches);
            }
            else if (!project.LockedMode)
                throw new DiagnosticException(Codes.MissingData,
                    $"{metadata}: \"{part}\" does not exist (looked for {path}). Correct the path, or fetch the file.", metadata);
        }
        return paths;
    }

    /// <summary>The files that a path stands for: itself, or all files below it.</summary>
    public static IEnumerable<string> Files(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).OrderBy(file => file, StringComparer.Ordinal)
        : [path];

    private static List<string> Glob(string pattern)
    {
        var separators = new[] { Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar };
        var wildcard = pattern.IndexOfAny(['*', '?']);
        var fixedEnd = pattern.LastIndexOfAny(separators, wildcard);
        var root = pattern.Substring(0, fixedEnd + 1);
        if (!Directory.Exists(root))
            return [];
        var rest = pattern.Substring(fixedEnd + 1);
        var deep = rest.IndexOfAny(separators) >= 0 || rest.Contains("**");
        var regex = new Regex(ToRegex(rest),
            RegexOptions.CultureInvariant | (Path.DirectorySeparatorChar == '\\' ? RegexOptions.IgnoreCase : RegexOptions.None));
        var depth = deep ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly;
        var files = Matches(Directory.EnumerateFiles(root, "*", depth));
        // test_data_set_* names folders.
        return files.Count > 0 ? files : Matches(Directory.EnumerateDirectories(root, "*", depth));

        List<string> Matches(IEnumerable<string> paths) =>
            [.. paths.Where(path => regex.IsMatch(path.Substring(root.Length).Replace('\\', '/'))).OrderBy(path => path, StringComparer.Ordinal)];
    }

    // MSBuild's globs: ** stands for any folders, * for anything within a name, ? for one character.
    private static string ToRegex(string glob)
    {
        var regex = new StringBuilder("^");
        glob = glob.Replace('\\', '/');
        for (var i = 0; i < glob.Length; i++)
        {
            if (string.CompareOrdinal(glob, i, "**/", 0, 3) == 0)
            {
                regex.Append("(?:[^/]+/)*");
                i += 2;
            }
            else if (string.CompareOrdinal(glob, i, "**", 0, 2) == 0)
            {
                regex.Append(".*");
                i++;
            }
            else
                regex.Append(glob[i] switch { '*' => "[^/]*", '?' => "[^/]", var c => Regex.Escape(c.ToString()) });
        }
        return regex.Append('$').ToString();
    }
}
