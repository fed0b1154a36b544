using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using ModelBuild.Zoo;

namespace ModelBuild.Compiler.Tests;

/// <summary>One page a model, for people, and one document a profile, for scripts.</summary>
public sealed class ReportTests : IDisposable
{
    private static readonly string Models = Path.Combine(SharedFolder.Repository, "samples", "Quickstart", "Models");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-report-");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task One_page_over_all_profiles_says_in_plain_words_what_ships()
    {
        string[] profiles = ["x64-avx2", "x64-avxvnni", "portable"];
        var data = new JsonObject { ["CalibrationData"] = new JsonArray(Path.Combine(Models, "calibration.npz")), ["Technique"] = "weights-int8" };
        var result = await Cli.Run("build", BuildRequests.Write(_folder.FullName, Path.Combine(Models, "digits.onnx"), profiles, data, onnxRuntime: true));
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        var output = Path.Combine(_folder.FullName, "out", "Net");
        Assert.Equal(["Net.report.html"], Directory.GetFiles(output, "*.html").Select(Path.GetFileName));
        var page = WebUtility.HtmlDecode(File.ReadAllText(Path.Combine(output, "Net.report.html")));
        Assert.Contains("weights stored in 8 bits", page);
        foreach (var profile in profiles)
        {
            Assert.Contains($"<details id=\"{profile}\">", page);
            var report = JsonNode.Parse(File.ReadAllText(Path.Combine(output, $"Net.{profile}.report.json")))!;
            var share = 100.0 * (long)report["artifact"]!["bytes"]! / (long)report["source"]!["bytes"]!;
            Assert.Contains($"{share.ToString("0.#", CultureInfo.InvariantCulture)} % of the original's size", page);
        }
    }

    [Fact]
    public async Task Without_data_the_page_says_that_nothing_was_compared()
    {
        var page = Path.Combine(_folder.FullName, "report.html");
        var result = await Cli.Run("compress", Path.Combine(Models, "digits.onnx"), "-o", Path.Combine(_folder.FullName, "o.onnx"), "--profile", "portable",
            "--technique", "weights-float16", "--report", page);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("there was no data to compare answers on", File.ReadAllText(page));
    }
}
