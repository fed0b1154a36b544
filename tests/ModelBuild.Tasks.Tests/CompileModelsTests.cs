using System.Text.Json.Nodes;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

/// <summary>The task against a compiler that speaks the protocol and does what the item's Technique says.</summary>
public sealed class CompileModelsTests : IDisposable
{
    private readonly TestProject _project = new();

    public void Dispose() => _project.Dispose();

    [Fact]
    public void ListsFilesAndResources()
    {
        _project.AddModel("a.onnx");
        _project.AddModel("b.onnx", ("Embed", "true"));
        var task = Inspected();
        Assert.True(task.Execute());
        Assert.Equal(["A.json", "A.portable.onnx"], File.ReadAllLines(task.FileListFile).Select(Path.GetFileName));
        Assert.Equal(["B.json", "B.portable.onnx"], File.ReadAllLines(task.ResourceListFile).Select(Path.GetFileName));
        Assert.All(File.ReadAllLines(task.FileListFile), file => Assert.True(File.Exists(file)));
        Assert.Equal([2], Runs());
    }

    [Fact]
    public void TheRequestSaysWhatTheItemSays()
    {
        _project.Folder.Write("data/x.npz", "");
        _project.AddModel("a.onnx", ("Technique", "none"), ("CalibrationData", "data/*.npz;data"), ("MaxAccuracyLoss", "0.02"), ("Profile", "portable"));
        var task = Inspected();
        task.OnnxRuntime = true;
        task.CacheLimit = 10737418240;
        Assert.True(task.Execute());
        var request = JsonNode.Parse(File.ReadAllText(Path.Combine(_project.Intermediate, "request.json")))!;
        Assert.Equal(1, (int)request["format"]!);
        Assert.Equal(_project.File, (string)request["project"]!);
        Assert.Equal(10737418240, (long)request["cacheLimit"]!);
        Assert.True((bool)request["onnxRuntime"]!);
        Assert.False((bool)request["executable"]!);
        Assert.InRange((int)request["cores"]!, 1, Environment.ProcessorCount);
        var model = request["models"]![0]!;
        Assert.Equal(_project.Folder.File("a.onnx"), (string)model["model"]!);
        Assert.Equal("""{"Technique":"none","MaxAccuracyLoss":"0.02","CalibrationData":["X","Y"]}""", model["options"]!.ToJsonString()
            .Replace(JsonValue.Create(_project.Folder.File("data/x.npz"))!.ToJsonString(), "\"X\"", StringComparison.Ordinal)
            .Replace(JsonValue.Create(_project.Folder.File("data"))!.ToJsonString(), "\"Y\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("data/test_data_set_*", "data/test_data_set_0 data/test_data_set_1")]
    [InlineData("data/**/*.pb", "data/test_data_set_0/input_0.pb data/test_data_set_1/input_0.pb")]
    [InlineData("data/test_data_set_?/*.pb;data/a;b.npz", "data/test_data_set_0/input_0.pb data/test_data_set_1/input_0.pb data/a b.npz")]
    public void GlobsNameFilesOrElseFolders(string data, string expected)
    {
        _project.Folder.Write("data/test_data_set_0/input_0.pb", "");
        _project.Folder.Write("data/test_data_set_1/input_0.pb", "");
        _project.Folder.Write("data/a", "");
        _project.Folder.Write("b.npz", "");
        _project.AddModel("a.onnx", ("CalibrationData", data));
        Assert.True(Inspected().Execute());
        var request = JsonNode.Parse(File.ReadAllText(Path.Combine(_project.Intermediate, "request.json")))!;
        Assert.Equal(expected.Split(' ').Select(_project.Folder.File), request["models"]![0]!["options"]!["CalibrationData"]!.AsArray()
            .Select(path => (string)path!));
    }

    [Fact]
    public void DiagnosticsPointToTheMetadata()
    {
        _project.Folder.Write("App.csproj",
            "<Project>\n  <OnnxModel Include=\"a.onnx\"\n    Technique=\"warn\" />\n  <OnnxModel Include=\"b.onnx\" />\n</Project>");
        _project.AddModel("a.onnx", ("Technique", "warn"));
        _project.AddModel("b.onnx", ("Technique", "fail"));
        var task = Inspected();
        Assert.False(task.Execute());
        var warning = Assert.Single(_project.Engine.Warnings);
        Assert.Equal(("MDLB2998", _project.File, 3, 5), (warning.Code, warning.File, warning.LineNumber, warning.ColumnNumber));
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal(("MDLB2999", _project.File, 4, 4), (error.Code, error.File, error.LineNumber, error.ColumnNumber));
        Assert.False(File.Exists(task.FileListFile));
    }

    [Fact]
    public void AFailedCompilationTakesTheOldListAway()
    {
        _project.AddModel("a.onnx");
        Assert.True(Inspected().Execute());
        _project.Models[0].SetMetadata("Technique", "fail");
        var task = Inspected();
        Assert.True(File.Exists(task.FileListFile));
        Assert.False(task.Execute());
        Assert.False(File.Exists(task.FileListFile));
    }

    [Fact]
    public void WhatARenamedModelMadeIsRemoved()
    {
        _project.AddModel("a.onnx");
        Assert.True(Inspected().Execute());
        _project.Models[0].SetMetadata("ClassName", "Renamed");
        Assert.True(Inspected().Execute());
        Assert.Equal(["Renamed"], Directory.GetDirectories(Path.Combine(_project.Intermediate, "out")).Select(Path.GetFileName));
    }

    [Fact]
    public void ACrashCostsOneModelAndNamesIt()
    {
        _project.AddModel("a.onnx");
        _project.AddModel("b.onnx", ("Technique", "crash"));
        _project.AddModel("c.onnx");
        Assert.False(Inspected().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal("MDLB2090", error.Code);
        Assert.Contains("b.onnx", error.Message);
        Assert.DoesNotContain("\n", error.Message);
        Assert.Contains(_project.Engine.Messages, message => message.Contains("about to crash", StringComparison.Ordinal));
        // All three together; a was finished then, b and c were tried alone.
        Assert.Equal([3, 1, 1], Runs());
    }

    [Fact]
    public void ACrashOfTheWholeProcessIsSurvived()
    {
        _project.AddModel("a.onnx", ("Technique", "crash-together"));
        _project.AddModel("b.onnx", ("Technique", "crash-together"));
        var task = Inspected();
        Assert.True(task.Execute());
        Assert.Equal(4, File.ReadAllLines(task.FileListFile).Length);
        Assert.Equal([2, 1, 1], Runs());
    }

    [Fact]
    public void ACandidateThatEndsTheCompilerIsStruckAndTheModelBuilds()
    {
        _project.AddModel("a.onnx", ("Technique", "crash-twice"));
        _project.AddModel("b.onnx");
        Assert.True(Inspected().Execute());
        Assert.Empty(_project.Engine.Errors);
        // Both together; then each alone, a twice more: once for each candidate.
        Assert.Equal([2, 1, 1, 1], Runs());
        Assert.Empty(Directory.GetFiles(_project.Intermediate, "*.journal"));
    }

    [Fact]
    public void TheReportOfAModelIsNamedOnce()
    {
        _project.AddModel("a.onnx", ("Profile", "portable;x64-avx2"));
        Assert.True(Inspected().Execute());
        Assert.Equal("A: report A.report.html", Assert.Single(_project.Engine.Messages, message => message.Contains("report", StringComparison.Ordinal)));
    }

    [Fact]
    public void WhatIsSaidOfAModelNamesIt()
    {
        _project.AddModel("a.onnx", ("Technique", "say"));
        Assert.True(Inspected().Execute());
        Assert.Contains("MDLB2997: a.onnx: asked to say", _project.Engine.Messages);
    }

    [Fact]
    public void TheEndOfAProcessForMemoryHasACodeOfItsOwn()
    {
        _project.AddModel("a.onnx", ("Technique", "killed"));
        Assert.False(Inspected().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal("MDLB2093", error.Code);
        Assert.Contains("a.onnx", error.Message);
    }

    [Fact]
    public void SilenceIsAnError()
    {
        _project.AddModel("a.onnx", ("Technique", "silent"));
        Assert.False(Inspected().Execute());
        Assert.Equal("MDLB2092", Assert.Single(_project.Engine.Errors).Code);
    }

    [Fact]
    public async Task CancellingEndsTheCompiler()
    {
        _project.AddModel("a.onnx", ("Technique", "hang"));
        var task = Inspected();
        var running = Task.Run(task.Execute);
        while (!_project.Engine.Messages.ToArray().Any(message => message.Contains("technique hang")))
        {
            Assert.False(running.IsCompleted);
            await Task.Delay(20);
        }
        task.Cancel();
        Assert.False(await running.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.False(File.Exists(task.FileListFile));
    }

    [Fact]
    public void CancelledBeforeItStarts()
    {
        _project.AddModel("a.onnx");
        var task = Inspected();
        task.Cancel();
        Assert.False(task.Execute());
        Assert.Empty(Runs());
    }

    [Fact]
    public void MissingCompiler()
    {
        _project.AddModel("a.onnx");
        var task = Inspected();
        task.Compiler = _project.Folder.File("nowhere.dll");
        Assert.False(task.Execute());
        Assert.Equal("MDLB2091", Assert.Single(_project.Engine.Errors).Code);
    }

    [Fact]
    public void MissingHost()
    {
        _project.AddModel("a.onnx");
        var task = Inspected();
        task.Host = _project.Folder.File("nowhere/dotnet");
        Assert.False(task.Execute());
        Assert.Equal("MDLB2091", Assert.Single(_project.Engine.Errors).Code);
    }

    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("a\"b", "\"a\\\"b\"")]
    [InlineData("a\\", "\"a\\\\\"")]
    [InlineData("a\\\"b", "\"a\\\\\\\"b\"")]
    public void Quoting(string argument, string quoted) => Assert.Equal(quoted, CommandLine.Quote(argument));

    private CompileModels Inspected()
    {
        Assert.True(_project.Inspect().Execute());
        return _project.Compile();
    }

    // How many models each run of the compiler was given.
    private int[] Runs()
    {
        var log = Path.Combine(_project.Intermediate, "fake-compiler-runs.txt");
        return File.Exists(log) ? [.. File.ReadAllLines(log).Select(int.Parse)] : [];
    }
}
