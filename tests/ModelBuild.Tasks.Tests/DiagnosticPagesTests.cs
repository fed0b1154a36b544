using System.Text.RegularExpressions;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

/// <summary>Every code that any part reports has a page of the agreed form, and every page a code.</summary>
public partial class DiagnosticPagesTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "diagnostics");

    private static readonly string[] Names = [.. Directory.EnumerateFiles(Folder).Select(file => Path.GetFileNameWithoutExtension(file))
        .Order(StringComparer.Ordinal)];

    public static TheoryData<string> Pages => [.. Names];

    [Fact]
    public void CodesAndPagesAreTheSame()
    {
        var generated = new[] { "bin", "obj" }.Select(name => $"{Path.DirectorySeparatorChar}{name}{Path.DirectorySeparatorChar}").ToArray();
        var codes = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".cs" or ".targets" or ".props"
                && !generated.Any(folder => file.Contains(folder, StringComparison.Ordinal)))
            .SelectMany(file => Code().Matches(File.ReadAllText(file)).Select(match => match.Value))
            .Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(codes, Names);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void APageSaysCauseFixAndExample(string code)
    {
        var text = File.ReadAllText(Path.Combine(Folder, code + ".md"));
        Assert.StartsWith($"# {code}: ", text);
        var headings = text.Split('\n').Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line.Trim());
        Assert.Equal(["## Cause", "## Fix", "## Example"], headings);
    }

    [GeneratedRegex("MDLB[0-9]{4}")]
    private static partial Regex Code();
}
