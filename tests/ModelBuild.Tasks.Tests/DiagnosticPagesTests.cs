using System.Text.RegularExpressions;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

/// <summary>Every code that tasks, targets and generator report has a page of the agreed form.</summary>
public partial class DiagnosticPagesTests
{
    private static readonly string[] Sources = ["ModelBuild", "ModelBuild.Tasks", "ModelBuild.Generators"];

    public static TheoryData<string> Codes => [.. Sources
        .SelectMany(project => Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", project), "*.*", SearchOption.AllDirectories))
        .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".targets", StringComparison.Ordinal))
        .SelectMany(file => Code().Matches(File.ReadAllText(file)).Select(match => match.Value))
        .Distinct().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void HasAPage(string code)
    {
        var page = Path.Combine(Repository.Root, "docs", "diagnostics", code + ".md");
        Assert.True(File.Exists(page), $"docs/diagnostics/{code}.md is missing");
        var text = File.ReadAllText(page);
        Assert.StartsWith($"# {code}: ", text);
        var headings = text.Split('\n').Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line.Trim());
        Assert.Equal(["## Cause", "## Fix", "## Example"], headings);
    }

    [GeneratedRegex("MDLB[0-9]{4}")]
    private static partial Regex Code();
}
