using System.Text.RegularExpressions;
using ModelBuild.Generators.Tests.Support;
using ModelBuild.Shared;

namespace ModelBuild.Generators.Tests;

/// <summary>Every sample of docs/class.md compiles against a generated class, and every option is in its table.</summary>
public class DocumentationTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(FindRoot(), "docs", "class.md"));

    public static TheoryData<int, string> Samples
    {
        get
        {
            var samples = new TheoryData<int, string>();
            foreach (Match match in Regex.Matches(Page, "^```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline))
                samples.Add(Page[..match.Index].Count(c => c == '\n') + 2, match.Groups[1].Value);
            return samples;
        }
    }

    [Fact]
    public void ThereAreSamples() => Assert.True(Samples.Count >= 10);

    [Theory]
    [MemberData(nameof(Samples))]
    public void SamplesCompile(int line, string sample)
    {
        const string usings = "#pragma warning disable\n" +
            "using System; using System.Collections.Generic; using System.Threading; using System.Threading.Tasks; using ModelBuild; using App.Models;\n";
        // Whole types stand by themselves; the rest is the body of a method that has a picture.
        var source = Regex.IsMatch(sample, @"^(public|internal) .*\b(class|record)\b")
            ? usings + sample
            : $"{usings}class Sample {{ async Task Run(float[] image, byte[] rgb) {{ await Task.Yield();\n{sample}\n}} }}";
        var native = Microsoft.CodeAnalysis.MetadataReference.CreateFromFile(Path.Combine(AppContext.BaseDirectory, "Microsoft.ML.OnnxRuntime.dll"));
        var run = new GeneratorRun(references: [GeneratorRun.Runtime, GeneratorRun.OnnxRuntime, native]).AddSource(source).Run(Signatures.MobileNet with
        {
            Labels = new[] { "tench", "goldfish" }.ToEquatableArray(),
            Image = new("crop", new[] { 123.7, 116.3, 103.5 }.ToEquatableArray(), new[] { 0.017 }.ToEquatableArray(), "rgb", "nchw"),
        });
        Assert.True(!run.Problems.Any(), $"docs/class.md, line {line}:\n{string.Join('\n', run.Problems)}");
    }

    [Fact]
    public void TheTableHasEveryOption()
    {
        var options = typeof(ModelOptions).GetProperties().Select(property => property.Name).Order(StringComparer.Ordinal);
        var table = Regex.Matches(Page, @"^\| `(\w+)` \|", RegexOptions.Multiline).Select(row => row.Groups[1].Value).Order(StringComparer.Ordinal);
        Assert.Equal(options, table);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
                return folder.FullName;
        throw new DirectoryNotFoundException("the repository's root is not above the test assembly");
    }
}
