using System.IO.Compression;
using System.Text.RegularExpressions;
using ModelBuild.EndToEnd.Tests.Support;
using Xunit.Abstractions;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>
/// The published test models of all operators as items of one project: each one builds and gets a class that compiles, or is refused with a code and by name.
/// </summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Full")]
public partial class ConformanceTests(ITestOutputHelper output)
{
    // As many as ONNX Runtime 1.31.1 answers rightly.
    private const int LeastBuilt = 1398;

    // Types that classes do not pass; models newer than ONNX Runtime, or with operators that it has not.
    private static readonly string[] Refusals = ["MDLB1006", "MDLB1030", "MDLB1031", "MDLB1120"];

    [SkippableFact]
    public void EveryModelGetsAClassOrARefusal()
    {
        var archive = Repository.Shared("conformance", "onnx-1.23-node.zip");
        var project = new OutsideProject();
        var folder = Directory.CreateDirectory(Path.Combine(project.Folder, "Models")).FullName;
        using (var zip = ZipFile.OpenRead(archive))
            foreach (var entry in zip.Entries.Where(e => e.Name == "model.onnx"))
                entry.ExtractToFile(Path.Combine(folder, Path.GetFileName(Path.GetDirectoryName(entry.FullName)!) + ".onnx"));
        var all = Directory.GetFiles(folder).Length;
        project.Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Models/*.onnx" Technique="none" />""",
            "<TreatWarningsAsErrors>false</TreatWarningsAsErrors>", "Library");

        // What is wrong with an interface is found before anything is compiled, what ONNX Runtime refuses after that: two builds find all.
        for (var round = 0; round < 2; round++)
        {
            var build = project.Build().Failed();
            var refused = Error().Matches(build.Output).Select(m => (Code: m.Groups["code"].Value, Model: Path.GetFileName(m.Groups["model"].Value))).Distinct()
                .ToList();
            Assert.NotEmpty(refused);
            Assert.All(refused, r => Assert.Contains(r.Code, Refusals));
            Assert.Equal(build.Output.Split('\n').Where(l => l.Contains(": error ", StringComparison.Ordinal)).Select(l => l.Trim()).Distinct().Count(),
                refused.Count);
            foreach (var code in refused.GroupBy(r => r.Code).OrderBy(g => g.Key, StringComparer.Ordinal))
                output.WriteLine($"{code.Key}: {code.Count()} models");
            foreach (var (_, model) in refused)
                File.Delete(Path.Combine(folder, model));
        }
        project.Build().Succeeded();
        var built = Directory.GetFiles(folder).Length;
        output.WriteLine($"{built} of {all} built");
        Assert.True(built >= LeastBuilt, $"{built} of {all}");
        Assert.Equal(built, Directory.GetFiles(project.Models(), "*.json").Length);
    }

    [GeneratedRegex(@": error (?<code>\w+): [^\n]*?(?<model>[\w./\\-]+\.onnx)")]
    private static partial Regex Error();
}
