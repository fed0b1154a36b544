using System.Text.Json.Nodes;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Compiler.Tests;

/// <summary>What a build refuses, it refuses with a code and not with a crash.</summary>
public sealed class BuildRefusalTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-refusal-");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task Exhausted_memory()
    {
        // 64 MB of weights where the heap may have 32.
        const int elements = 1 << 24;
        var model = Write(OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message()
            .Sub(1, OnnxFile.Message().Text(1, "x").Text(1, "w").Text(2, "y").Text(4, "Add"))
            .Sub(5, OnnxFile.Message().Integer(1, elements).Integer(2, 1).Text(8, "w").Bytes(9, new byte[elements * sizeof(float)]))
            .Sub(11, OnnxFile.Value("x", 1, elements)).Sub(12, OnnxFile.Value("y", 1, elements))).Sub(8, OnnxFile.Message().Integer(2, 17)));
        var (exitCode, code, text) = await Build(model, ["portable"], [], new() { ["DOTNET_GCHeapHardLimit"] = "0x2000000" });
        Assert.Equal((1, "MDLB2093"), (exitCode, code));
        Assert.Contains("Technique", text);
    }

    [Theory]
    [InlineData("Shapes", "batch=2000000000", "MDLB0003")]
    [InlineData("Shapes", "batch=0", "MDLB0003")]
    [InlineData("Shapes", "batch=1,length=2", "MDLB0003")]
    [InlineData("MaxLatency", "5", "MDLB0002")]
    [InlineData("ImageScale", "0", "MDLB0004")]
    [InlineData("Backend", "onnxruntime", "MDLB3031")]
    public async Task Options(string name, string value, string expected)
    {
        var (exitCode, code, text) = await Build(Write(Relu("batch", 4)), ["portable"], new() { [name] = value });
        Assert.True((1, expected) == (exitCode, code), text);
    }

    [Fact]
    public async Task No_profile()
    {
        var (exitCode, code, _) = await Build(Write(Relu("batch", 4)), [], []);
        Assert.Equal((1, "MDLB0020"), (exitCode, code));
    }

    [Theory]
    [InlineData("batch=2,dim0=3")]
    [InlineData("dim0=3;batch=2")]
    public async Task An_unnamed_dimension_takes_the_name_that_the_tasks_give_it(string shapes)
    {
        var (exitCode, code, text) = await Build(Write(Relu("batch", null)), ["portable"], new() { ["Shapes"] = shapes }, onnxRuntime: true);
        Assert.True(exitCode == 0, $"{code} {text}");
    }

    private static OnnxFile Relu(params object?[] shape) => OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message()
        .Sub(1, OnnxFile.Message().Text(1, "x").Text(2, "y").Text(4, "Relu")).Sub(11, OnnxFile.Value("x", 1, shape)).Sub(12, OnnxFile.Value("y", 1, shape)))
            .Sub(8, OnnxFile.Message().Integer(2, 17));

    private string Write(OnnxFile model)
    {
        var path = Path.Combine(_folder.FullName, "model.onnx");
        File.WriteAllBytes(path, model.ToArray());
        return path;
    }

    private async Task<(int ExitCode, string? Code, string? Text)> Build(string model, string[] profiles, Dictionary<string, string> options,
        Dictionary<string, string>? environment = null, bool onnxRuntime = false)
    {
        var request = BuildRequests.Write(_folder.FullName, model, profiles,
            new JsonObject(options.Select(option => KeyValuePair.Create(option.Key, (JsonNode?)option.Value))), onnxRuntime);
        var result = await Cli.Run(environment, "build", request);
        var error = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)
            .FirstOrDefault(reply => (string?)reply["severity"] == "error");
        return (result.ExitCode, (string?)error?["code"], (string?)error?["text"] ?? result.Error);
    }
}
