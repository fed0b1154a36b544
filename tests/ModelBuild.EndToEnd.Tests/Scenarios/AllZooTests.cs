using System.Globalization;
using System.Text.Json;
using ModelBuild.EndToEnd.Tests.Support;
using Xunit.Abstractions;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Every model of the zoo in one outside project: all build, all run, and none answers otherwise than its report says.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class AllZooTests(ITestOutputHelper output)
{
    private static readonly string[] AsTheyAre = ["original", "none", "simplify"];

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void EveryModelBuildsAndRuns(bool withData)
    {
        var names = Directory.GetDirectories(Repository.Shared("zoo")).Where(folder => File.Exists(Path.Combine(folder, "model.onnx")))
            .Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal).ToArray();
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + string.Concat(names.Select(name => Zoo.Item(name, Metadata(name), DataOf(name), withData))),
                "<TreatWarningsAsErrors>false</TreatWarningsAsErrors>")
            .WithChecker()
            .Source("using App.Models;\n" + string.Concat(names.Select(name => $$"""
                using (var model = {{Zoo.ClassName(name)}}.Load())
                    AnyModel.Check("{{name}}", Path.Combine(args[0], "{{name}}", "model.onnx"), Path.Combine(args[0], "{{DataOf(name) ?? name}}", "evaluation.npz"), model.Untyped{{Judged(name)}});

                """)));
        output.WriteLine(project.Build().Succeeded().Output);
        var lines = project.Run(Repository.Shared("zoo")).Succeeded().Output.Split('\n').Where(line => line.StartsWith("ANY ", StringComparison.Ordinal))
            .ToArray();
        foreach (var line in lines)
            output.WriteLine(line);
        var results = lines.Select(line => line.Split(' ')[1..].Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]))
            .ToDictionary(result => result["name"]);
        Assert.Equal(names, results.Keys.Order(StringComparer.Ordinal));
        output.WriteLine("as they are: " + string.Join(", ", results.Where(result => AsTheyAre.Contains(result.Value["technique"]))
            .Select(result => result.Key)));
        Assert.All(names, name =>
        {
            var result = results[name];
            using var report = JsonDocument.Parse(
                File.ReadAllText(Assert.Single(Directory.GetFiles(project.Obj, $"{Zoo.ClassName(name)}.{result["profile"]}.report.json",
                SearchOption.AllDirectories))));
            Assert.Equal(report.RootElement.GetProperty("technique").GetString(), result["technique"]);
            Assert.Equal(report.RootElement.GetProperty("artifact").GetProperty("sha256").GetString(), result["sha256"]);
            var (noise, agreement) = (double.Parse(result["noise"], CultureInfo.InvariantCulture),
                double.Parse(result["agreement"], CultureInfo.InvariantCulture));
            if (AsTheyAre.Contains(result["technique"]))
                Assert.True(noise <= 1e-8, $"{name}: noise {noise}");
            else if (!withData)
                Assert.True(result["technique"] == "weights-float16" && noise <= 0.002, $"{name}: {result["technique"]}, noise {noise}");
            else if (report.RootElement.GetProperty("metric").GetProperty("name").GetString() == "sqnr")
                Assert.True(noise <= 0.02, $"{name}: noise {noise}");
            else
                Assert.True(agreement >= 0.75, $"{name}: agreement {agreement}");
            Assert.Equal(!withData, report.RootElement.GetProperty("unverified").GetBoolean());
        });
    }

    private static JsonElement About(string name)
    {
        using var about = JsonDocument.Parse(File.ReadAllText(Repository.Shared("zoo", name, "about.json")));
        return about.RootElement.Clone();
    }

    private static string? DataOf(string name) => About(name).TryGetProperty("data", out var folder) ? Path.GetFileName(folder.GetString()) : null;

    private static string? MetricOutput(string name) => About(name).TryGetProperty("metricOutput", out var output) ? output.GetString() : null;

    private static string Metadata(string name) => MetricOutput(name) is { } judged ? $"MetricOutputs=\"{judged}\"" : "";

    private static string Judged(string name) => MetricOutput(name) is { } judged ? $", \"{judged}\"" : "";
}
