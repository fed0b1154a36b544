using System.Text.RegularExpressions;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Tests.Documentation;

/// <summary>What is known of a technique or a backend stands in its own folder: a further one is added there and nowhere else.</summary>
public partial class NamesTests
{
    // Element types that are called like a technique.
    private static readonly string[] ElementTypes = ["Data/NumPyTypes.cs", "Build/ProfileResolver.cs"];

    // Precisions of cost tables, one of which is called like a technique.
    private const string Precisions = "Backends/Precisions.cs";

    private static string Root => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../src"));

    private static IEnumerable<(string File, string Literal)> Literals(params string[] owners) =>
        from project in new[] { "ModelBuild.Compression", "ModelBuild.Compiler" }
        from file in Directory.EnumerateFiles(Path.Combine(Root, project), "*.cs", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(Path.Combine(Root, project), file).Replace('\\', '/')
        where !name.StartsWith("obj/", StringComparison.Ordinal) && !name.StartsWith("bin/", StringComparison.Ordinal)
            && !owners.Any(o => name.StartsWith(o, StringComparison.Ordinal))
        from line in File.ReadLines(file)
        where !line.TrimStart().StartsWith("//", StringComparison.Ordinal)
        from Match literal in StringLiteral().Matches(line)
        select (name, literal.Groups[1].Value);

    [Fact]
    public void No_technique_is_named_outside_its_folder()
    {
        var names = new TechniqueRegistry().All.Select(t => Regex.Escape(t.Name)).OrderByDescending(n => n.Length);
        var named = new Regex($@"(?<![\w-])({string.Join('|', names)})(?![\w-])", RegexOptions.CultureInvariant);
        Assert.True(Literals().Count(l => named.IsMatch(l.Literal)) > 4);
        Assert.DoesNotContain(Literals("Techniques/"), l => named.IsMatch(l.Literal) && l.File != Precisions
            && !(l.Literal == "int8" && ElementTypes.Contains(l.File)));
    }

    [Fact]
    public void No_backend_is_named_outside_its_folder()
    {
        var names = CompilerBackends.Names.ToHashSet(StringComparer.Ordinal);
        Assert.Contains(Literals(), l => names.Contains(l.Literal));
        Assert.DoesNotContain(Literals("Backends/OnnxRuntime/", "Backends/Managed/"),
            l => names.Any(n => l.Literal == n || l.Literal.StartsWith(n + "/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Codes_stand_in_one_list_of_each_assembly()
    {
        // The lists themselves; Roslyn's analyzers want descriptors, which are a list, too.
        var lists = new Regex("(Codes|OnnxErrors|DiagnosticDescriptors)\\.cs$", RegexOptions.CultureInvariant);
        var files = Directory.EnumerateFiles(Root, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("\\obj\\", StringComparison.Ordinal)).ToList();
        bool Names(string file) => File.ReadLines(file).Any(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal) && Code().IsMatch(l));
        Assert.InRange(files.Count(f => lists.IsMatch(f) && Names(f)), 7, 20);
        Assert.DoesNotContain(files, f => !lists.IsMatch(f) && Names(f));
    }

    [Fact]
    public void Lines_have_at_most_160_columns()
    {
        var files = Directory.EnumerateFiles(Root, "*.cs", SearchOption.AllDirectories).Where(f => !f.Contains("/obj/", StringComparison.Ordinal)
            && !f.Contains("\\obj\\", StringComparison.Ordinal)).ToList();
        Assert.InRange(files.Count, 500, 10000);
        Assert.DoesNotContain(files.SelectMany(f => File.ReadLines(f).Select((line, i) => (File: f, Line: i + 1, line.Length))), static l => l.Length > 160);
    }

    [GeneratedRegex("\"MDLB[0-9]{4}", RegexOptions.CultureInvariant)]
    private static partial Regex Code();

    [GeneratedRegex("\"((?:[^\"\\\\]|\\\\.)*)\"", RegexOptions.CultureInvariant)]
    private static partial Regex StringLiteral();
}
