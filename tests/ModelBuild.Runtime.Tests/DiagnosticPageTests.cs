using System.Text.RegularExpressions;

namespace ModelBuild.Runtime.Tests;

public sealed partial class DiagnosticPageTests
{
    /// <summary>Every code that the runtime packages give has a page with its cause, its fix and an example.</summary>
    [Theory]
    [InlineData("ModelBuild.Runtime")]
    [InlineData("ModelBuild.OnnxRuntime")]
    public void Every_code_has_a_page(string project)
    {
        string repository = Repository();
        SortedSet<string> codes = [.. Directory.EnumerateFiles(Path.Combine(repository, "src", project), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(f => Code().Matches(File.ReadAllText(f))).Select(m => m.Value)];
        Assert.NotEmpty(codes);
        foreach (string code in codes)
        {
            string page = Path.Combine(repository, "docs", "diagnostics", code + ".md");
            Assert.True(File.Exists(page), $"docs/diagnostics/{code}.md is missing");
            string text = File.ReadAllText(page);
            Assert.StartsWith($"# {code}: ", text);
            Assert.Matches("(?s)## Cause\n.+## Fix\n.+## Example\n", text);
        }
    }

    [GeneratedRegex("MDLB[0-9]{4}")]
    private static partial Regex Code();

    private static string Repository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props"))) return folder.FullName;
        }
        throw new InvalidOperationException("tests run from within the repository");
    }
}
