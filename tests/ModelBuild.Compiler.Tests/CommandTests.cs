using System.IO.Compression;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using ModelBuild.Compression.Backends;
using ModelBuild.Tasks.Tests.Support;
using ModelBuild.Zoo;

namespace ModelBuild.Compiler.Tests;

/// <summary>The commands as scripts use them: exit codes, files, and standard output that holds one JSON document and nothing else.</summary>
public sealed class CommandTests : IDisposable
{
    private static readonly string Models = Path.Combine(SharedFolder.Repository, "samples", "Quickstart", "Models");
    private static readonly string Model = Path.Combine(Models, "digits.onnx");
    private static readonly string Evaluation = Path.Combine(Models, "evaluation.npz");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-cli-");

    public void Dispose() => _folder.Delete(true);

    private string File(string name) => Path.Combine(_folder.FullName, name);

    private async Task<Cli.Result> Compress(string output, params string[] more) =>
        await Cli.Run(["compress", Model, "-o", output, "--profile", "x64-avx2", "--calibration", Path.Combine(Models, "calibration.npz"), "--evaluation",
            Evaluation, .. more]);

    [Fact]
    public async Task Inspect_prints_one_document()
    {
        var result = await Cli.Run("inspect", Model, "--json");
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(new FileInfo(Model).Length, json.RootElement.GetProperty("bytes").GetInt64());
    }

    [SkippableFact]
    public async Task Inspect_tells_the_patterns_of_a_transformer()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var result = await Cli.Run("inspect", Path.Combine(SharedFolder.Zoo!, "minilm_l3", "model.onnx"), "--json");
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        var patterns = json.RootElement.GetProperty("patterns").EnumerateArray()
            .Select(p => $"{p.GetProperty("pattern")} {p.GetProperty("form")} {p.GetProperty("count")}").ToArray();
        Assert.Contains("attention multi-head 3", patterns);
        Assert.Contains("gelu erf 3", patterns);
        // The operators are those of the file, before anything is simplified.
        Assert.True(json.RootElement.GetProperty("operators").TryGetProperty("Constant", out _));
    }

    [Fact]
    public async Task Compress_writes_a_smaller_model_and_its_report()
    {
        var result = await Compress(File("small.onnx"), "--optimize", "size", "--report", File("report.json"));
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.InRange(new FileInfo(File("small.onnx")).Length, 1, new FileInfo(Model).Length * 36 / 100);
        using var report = JsonDocument.Parse(System.IO.File.ReadAllText(File("report.json")));
        Assert.Equal(new FileInfo(File("small.onnx")).Length, report.RootElement.GetProperty("artifact").GetProperty("bytes").GetInt64());
        Assert.Equal(2, _folder.GetFiles().Length);
    }

    [Fact]
    public async Task What_is_made_of_a_read_only_model_can_be_replaced()
    {
        System.IO.File.Copy(Model, File("net.onnx"));
        System.IO.File.SetAttributes(File("net.onnx"), FileAttributes.ReadOnly);
        foreach (var _ in new[] { 1, 2 })
            Assert.Equal(0, (await Cli.Run("compress", File("net.onnx"), "-o", File("out.onnx"), "--profile", "x64-avx2", "--technique", "none")).ExitCode);
        Assert.Equal(System.IO.File.ReadAllBytes(Model), System.IO.File.ReadAllBytes(File("out.onnx")));
        Assert.False(System.IO.File.GetAttributes(File("out.onnx")).HasFlag(FileAttributes.ReadOnly));
        System.IO.File.SetAttributes(File("net.onnx"), FileAttributes.Normal);
    }

    [Fact]
    public async Task No_command_writes_over_what_it_reads()
    {
        System.IO.File.Copy(Model, File("net.onnx"));
        System.IO.File.Copy(Evaluation, File("data.npz"));
        System.IO.File.CreateSymbolicLink(File("link.onnx"), File("net.onnx"));
        string[] compress = ["compress", File("net.onnx"), "--profile", "x64-avx2", "--technique", "weights-float16"];
        foreach (var arguments in new string[][]
        {
            [.. compress, "-o", File("net.onnx")],
            [.. compress, "-o", File("link.onnx")],
            [.. compress, "-o", _folder.FullName],
            [.. compress, "-o", File("small.onnx"), "--report", File("net.onnx")],
            [.. compress, "-o", File("data.npz"), "--calibration", File("data.npz")],
            [.. compress, "-o", File("data.npz"), "--calibration", File("*.npz")],
            ["run", File("net.onnx"), "--inputs", File("data.npz"), "--outputs", File("data.npz")],
        })
        {
            var result = await Cli.Run(arguments);
            Assert.Equal(2, result.ExitCode);
            Assert.Contains("MDLB0050", result.Error, StringComparison.Ordinal);
        }
        Assert.Equal(System.IO.File.ReadAllBytes(Model), System.IO.File.ReadAllBytes(File("net.onnx")));
        Assert.Equal(System.IO.File.ReadAllBytes(Evaluation), System.IO.File.ReadAllBytes(File("data.npz")));
        Assert.Equal(3, _folder.GetFiles().Length);
    }

    [Fact]
    public async Task Run_writes_the_outputs_of_all_samples()
    {
        var result = await Cli.Run("run", Model, "--inputs", Evaluation, "--outputs", File("out.npz"));
        Assert.Equal(0, result.ExitCode);
        var logits = Assert.Single(Compression.Data.NpzReader.Read(File("out.npz")));
        Assert.Equal(("logits", 2000), (logits.Key, logits.Value.Shape[0]));
        // The same values as ONNX Runtime's, sample by sample.
        using var runner = new Compression.Backends.OnnxRuntimeRunner(Model);
        var data = Compression.Data.DataLoader.Open([Evaluation], Compression.Planning.ModelSource.Open(Model, new Dictionary<string, long>()).Interface,
            new(), "x")!;
        var all = logits.Value.Whole.ToArray<float>();
        foreach (var i in new[] { 0, 1, 1999 })
            Assert.Equal(runner.Run(data[i].Inputs)["logits"].ToArray<float>(), all.AsSpan(i * 10, 10).ToArray());
        Assert.Single(_folder.GetFiles());
    }

    [SkippableFact]
    public async Task A_reference_of_another_model_is_refused_with_a_code()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        Assert.Equal(0, (await Compress(File("a.modelbuild"), "--technique", "int8")).ExitCode);
        foreach (var model in new[] { Model, File("a.modelbuild") })
        {
            var result = await Cli.Run("evaluate", model, "--evaluation", Evaluation, "--reference", ZooModel.Open("kws_dscnn").Model, "--json");
            Assert.Equal((1, ""), (result.ExitCode, result.Output));
            Assert.Contains("error MDLB1", result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Evaluate_takes_a_managed_artifact()
    {
        Assert.Equal(0, (await Compress(File("a.modelbuild"), "--technique", "int8")).ExitCode);
        var result = await Cli.Run("evaluate", File("a.modelbuild"), "--evaluation", Evaluation, "--reference", Model, "--json");
        Assert.True(result.ExitCode == 0, result.Error);
        using var json = JsonDocument.Parse(result.Output);
        Assert.InRange(json.RootElement.GetProperty("deciding").GetProperty("loss").GetDouble(), -0.01, 0.01);
    }

    [Fact]
    public async Task Run_takes_the_artifact_of_a_profile_from_a_manifest()
    {
        Assert.Equal(0, (await Compress(File("a.modelbuild"), "--technique", "int8")).ExitCode);
        System.IO.File.Copy(Model, File("b.onnx"));
        string Artifact(string profile, string file, string backend) =>
            $$"""{"profile":"{{profile}}","file":"{{file}}","backend":"{{backend}}","bytes":1,"sha256":"0","technique":"none"}""";
        System.IO.File.WriteAllText(File("Digits.json"),
            $$"""{"format":1,"class":"Digits","signatureHash":"0","artifacts":[{{Artifact("x64-avx512vnni", "a.modelbuild", "managed")}},{{Artifact("portable", "b.onnx", "onnxruntime")}}]}""");
        async Task<byte[]> Outputs(params string[] more)
        {
            var result = await Cli.Run(["run", .. more, "--inputs", Evaluation, "--outputs", File("out.npz")]);
            Assert.True(result.ExitCode == 0, result.Error);
            return Compression.Data.NpzReader.Read(File("out.npz"))["logits"].Whole.Bytes.ToArray();
        }
        // Whatever CPU this is.
        Assert.Equal(await Outputs(File("a.modelbuild")), await Outputs(File("Digits.json"), "--profile", "x64-avx512vnni"));
        Assert.Equal(await Outputs(Model), await Outputs(File("Digits.json"), "--profile", "portable"));
        Assert.Equal(await Outputs(Model), await Outputs(File("Digits.json"), "--backend", "onnxruntime"));
        var missing = await Cli.Run("run", File("Digits.json"), "--profile", "arm64", "--inputs", Evaluation, "--outputs", File("no.npz"));
        Assert.Equal(1, missing.ExitCode);
        Assert.Contains("MDLB3008", missing.Error, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File("no.npz")));
    }

    [Theory]
    [InlineData("run MODEL --inputs DATA --outputs out.npz --threads 0", "at least 1")]
    [InlineData("run MODEL --inputs DATA --outputs out.npz --threads two", "at least 1")]
    [InlineData("run MODEL --inputs DATA --outputs out.npz --profile x64-avx22", "Did you mean")]
    [InlineData("run MODEL --inputs DATA --outputs out.npz --backend managd", "managed")]
    [InlineData("run MODEL --outputs out.npz", "--inputs")]
    [InlineData("bench MODEL --threads -1", "at least 1")]
    [InlineData("evaluate MODEL --evaluation DATA --metric top9", "top5")]
    [InlineData("profiles --detect --measure", "one of them")]
    [InlineData("no-such-command", "no-such-command")]
    public async Task Wrong_usage_is_exit_code_2(string arguments, string text)
    {
        var result = await Cli.Run([.. arguments.Replace("MODEL", Model, StringComparison.Ordinal).Replace("DATA", Evaluation, StringComparison.Ordinal)
            .Replace("out.npz", File("out.npz"), StringComparison.Ordinal).Split(' ')]);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(text, result.Error, StringComparison.Ordinal);
        Assert.Empty(_folder.GetFiles());
    }

    // What scripts rely on; a new option is added here with its reason.
    [Theory]
    [InlineData("inspect", "--json")]
    [InlineData("compress", "-o --profile --technique --calibration --evaluation --training --metric --metric-outputs --max-accuracy-loss --max-size "
        + "--max-latency --shapes --on-budget-miss --optimize --backend --training-time --search-time --report --seed --threads --no-measure")]
    [InlineData("run", "--inputs --outputs --backend --profile --threads")]
    [InlineData("compare", "--inputs --json")]
    [InlineData("evaluate", "--evaluation --reference --metric --backend --json")]
    [InlineData("bench", "--backend --threads --json")]
    [InlineData("profiles", "--detect --measure")]
    public async Task Every_option_has_a_help_text(string command, string options)
    {
        var help = await Cli.Run(command, "--help");
        Assert.Equal(0, help.ExitCode);
        Assert.All(options.Split(' '), option => Assert.Matches($@"(^|[\s,]){option}\b[^\n]*\s\s+\w", help.Output));
    }

    [Fact]
    public async Task Evaluate_finds_a_model_equal_to_itself()
    {
        var result = await Cli.Run("evaluate", Model, "--evaluation", Evaluation, "--reference", Model, "--json");
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(0, json.RootElement.GetProperty("deciding").GetProperty("loss").GetDouble());
    }

    /// <summary>Without an original a model has an accuracy and no loss; without labels it has neither.</summary>
    [Fact]
    public async Task Evaluate_without_a_reference_tells_what_the_data_knows()
    {
        var result = await Cli.Run("evaluate", Model, "--evaluation", Evaluation, "--json");
        Assert.True(result.ExitCode == 0, result.Error);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("reference").ValueKind);
        var deciding = json.RootElement.GetProperty("deciding");
        Assert.Equal(("top1", JsonValueKind.Null), (deciding.GetProperty("metric").GetString(), deciding.GetProperty("loss").ValueKind));
        Assert.InRange(deciding.GetProperty("compressed").GetDouble(), 0.9, 0.9999);

        var digits = Compression.Data.NpzReader.Read(Evaluation);
        Compression.Data.NpyWriter.WriteNpz(File("unlabelled.npz"), digits.Where(a => a.Key != "labels")
            .Select(a => KeyValuePair.Create(a.Key, a.Value.Whole)));
        foreach (var metric in new[] { "auto", "sqnr", "top1" })
        {
            var refused = await Cli.Run("evaluate", Model, "--evaluation", File("unlabelled.npz"), "--metric", metric);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains("MDLB0013", refused.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>A kernel that stands for several nodes gets its time into the row of the last one, where none of them multiplies.</summary>
    [Fact]
    public async Task Compare_gives_a_fused_kernel_one_row()
    {
        var model = new Onnx.Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        Onnx.Value Scalar(string name, float v) => graph.AddInitializer(name, Onnx.Tensor.Scalar(v));
        Onnx.Value Node(string op, string name, params Onnx.Value[] inputs)
        {
            var node = graph.AddNode(op, inputs, [name + ".out"]);
            node.Name = name;
            return node.Output;
        }
        var random = new Random(1);
        var weights = Onnx.Tensor.Of(Enumerable.Range(0, 256 * 256).Select(_ => (float)random.NextDouble() - 0.5f).ToArray(), 256, 256);
        var x = graph.AddInput("x", Onnx.TensorType.Of(Onnx.ElementType.Float, 1, 64, 256));
        var h = Node("Add", "bias", Node("MatMul", "product", x, graph.AddInitializer("w", weights)),
            graph.AddInitializer("b", Onnx.Tensor.Of(new float[256], 256)));
        var erf = Node("Erf", "erf", Node("Div", "div", h, Scalar("r", MathF.Sqrt(2))));
        var y = Node("Mul", "half", Node("Mul", "times", h, Node("Add", "one", erf, Scalar("o", 1))), Scalar("h", 0.5f));
        y.Type = Onnx.TensorType.Of(Onnx.ElementType.Float, 1, 64, 256);
        graph.AddOutput(y);
        Onnx.OnnxWriter.Write(model, File("gelu.onnx"));
        Compression.Data.NpyWriter.WriteNpz(File("x.npz"),
            [KeyValuePair.Create("x", Onnx.Tensor.Of(Enumerable.Range(0, 2 * 64 * 256).Select(i => MathF.Sin(i)).ToArray(), 2, 64, 256))]);
        var result = await Cli.Run("compare", File("gelu.onnx"), File("gelu.onnx"), "--inputs", File("x.npz"), "--json");
        Assert.True(result.ExitCode == 0, result.Error);
        using var json = JsonDocument.Parse(result.Output);
        var times = json.RootElement.EnumerateArray().ToDictionary(l => l.GetProperty("layer").GetString()!, l => l.GetProperty("microseconds").GetDouble());
        Assert.Equal(["half", "product"], times.Where(t => t.Value > 0).Select(t => t.Key).Order());
    }

    /// <summary>An embedding of one row: the number 1 that is made up for its index is out of range.</summary>
    [Fact]
    public async Task Bench_says_where_made_up_numbers_do_not_do()
    {
        var model = new Onnx.Model { IrVersion = 8, Opset = 17 };
        var index = model.Graph.AddInput("ids", Onnx.TensorType.Of(Onnx.ElementType.Int64, 3));
        model.Graph.AddOutput(model.Graph.AddNode("Gather", [model.Graph.AddInitializer("rows", Onnx.Tensor.Of(new float[4], 1, 4)), index], ["y"]).Output);
        model.Graph.Outputs[0].Type = Onnx.TensorType.Of(Onnx.ElementType.Float, 3, 4);
        Onnx.OnnxWriter.Write(model, File("gather.onnx"));
        var result = await Cli.Run("bench", File("gather.onnx"), "--json");
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("error MDLB1121", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Compression.Data.NpyWriter.WriteNpz(File("ids.npz"), [KeyValuePair.Create("ids", Onnx.Tensor.Of(new long[6], 2, 3))]);
        Assert.Equal(0, (await Cli.Run("bench", File("gather.onnx"), "--inputs", File("ids.npz"), "--rounds", "3", "--json")).ExitCode);
    }

    /// <summary>Data that cannot be judged on is refused as in a build, whichever kind of model is measured.</summary>
    [Theory]
    [InlineData("shape", "MDLB1132")]
    [InlineData("NaN expected", "MDLB1132")]
    [InlineData("NaN", "MDLB1133")]
    public async Task Evaluate_refuses_data_that_proves_nothing(string what, string code)
    {
        var model = new Onnx.Model { IrVersion = 8, Opset = 17 };
        var x = model.Graph.AddInput("x", Onnx.TensorType.Of(Onnx.ElementType.Float, 1, 4));
        var y = model.Graph.AddNode("MatMul", [x, model.Graph.AddInitializer("w", Onnx.Tensor.Of([1f, 2, 3, 4, 5, 6, 7, 8], 4, 2))], ["y"]).Output;
        y.Type = Onnx.TensorType.Of(Onnx.ElementType.Float, 1, 2);
        model.Graph.AddOutput(y);
        Onnx.OnnxWriter.Write(model, File("m.onnx"));
        Assert.Equal(0, (await Cli.Run("compress", File("m.onnx"), "-o", File("m.modelbuild"), "--profile", "portable")).ExitCode);
        var values = what == "NaN" ? Enumerable.Repeat(float.NaN, 20) : Enumerable.Range(0, 20).Select(i => (float)i);
        var expected = what == "shape" ? Onnx.Tensor.Of(new float[15], 5, 3)
            : Onnx.Tensor.Of([.. Enumerable.Range(0, 10).Select(i => what == "NaN expected" && i == 3 ? float.NaN : i)], 5, 2);
        Compression.Data.NpyWriter.WriteNpz(File("d.npz"),
            [KeyValuePair.Create("x", Onnx.Tensor.Of(values.ToArray(), 5, 4)), KeyValuePair.Create("y", expected)]);
        foreach (var name in new[] { "m.onnx", "m.modelbuild" })
        {
            var result = await Cli.Run("evaluate", File(name), "--evaluation", File("d.npz"));
            Assert.Equal((1, ""), (result.ExitCode, result.Output));
            Assert.StartsWith($"error {code}", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>What the build and compress take, the other commands take, too: a classifier that ends in maps of labels, as it was exported.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_command_takes_a_classifier_with_a_map_of_labels(bool strings)
    {
        var (model, data, answers) = (File("iris.onnx"), File("iris.npz"), File("answers.npz"));
        System.IO.File.WriteAllBytes(model, ClassifierFile.Linear(strings));
        float[] x = [0.3f, -1.2f, 0.8f, 0.1f, -0.4f, 0.9f, 1.5f, -2f];
        Compression.Data.NpyWriter.WriteNpz(data, [KeyValuePair.Create("float_input", Onnx.Tensor.Of(x, 2, 4))]);

        Assert.Equal(0, (await Cli.Run("run", model, "--inputs", data, "--outputs", answers)).ExitCode);
        var probabilities = Compression.Data.NpzReader.Read(answers)["probability"].Whole;
        Assert.Equal(Maps(model, x, strings).SelectMany(row => row), probabilities.ToArray<float>(), (a, b) => Math.Abs(a - b) < 1e-6);

        using var facts = JsonDocument.Parse((await Cli.Run("inspect", model, "--json")).Output);
        var probability = facts.RootElement.GetProperty("outputs")[1];
        Assert.Equal("float ?,3", $"{probability.GetProperty("type")} {string.Join(',', probability.GetProperty("shape").EnumerateArray())}");
        Assert.True(facts.RootElement.GetProperty("operators").TryGetProperty("ai.onnx.ml.ZipMap", out _));

        Assert.Equal(0, (await Cli.Run("compress", model, "-o", File("out.onnx"), "--profile", "x64-avx2")).ExitCode);
        var bench = await Cli.Run("bench", model, File("out.onnx"), "--rounds", "3", "--json");
        Assert.Equal(0, bench.ExitCode);
        Assert.Contains("iris.onnx", bench.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Cli.Run("compare", File("out.onnx"), model, "--inputs", data, "--json")).ExitCode);
        Assert.Equal(0, (await Cli.Run("evaluate", File("out.onnx"), "--reference", model, "--evaluation", data, "--json")).ExitCode);
    }

    /// <summary>What ONNX Runtime's maps say, by class.</summary>
    private static IEnumerable<float[]> Maps(string model, float[] x, bool strings)
    {
        using var session = new InferenceSession(model);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("float_input", new DenseTensor<float>(x, [x.Length / 4, 4]))]);
        return [.. results.Single(r => r.Name == "probability").AsEnumerable<DisposableNamedOnnxValue>().Select(row => strings
            ? ClassifierFile.Names.Select(label => row.AsDictionary<string, float>()[label]).ToArray()
            : ClassifierFile.Numbers.Select(label => row.AsDictionary<long, float>()[label]).ToArray())];
    }

    [Fact]
    public async Task Bench_compares_all_models_with_the_first()
    {
        Assert.Equal(0, (await Compress(File("small.modelbuild"))).ExitCode);
        var result = await Cli.Run("bench", Model, File("small.modelbuild"), "--json");
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(CpuFeatureDetection.Class, json.RootElement.GetProperty("cpuClass").GetString());
        Assert.Equal(2, json.RootElement.GetProperty("results").GetArrayLength());
    }

    [Fact]
    public async Task Profiles_detects_this_machine()
    {
        var result = await Cli.Run("profiles", "--detect");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(Compression.Profiles.BuiltInProfiles.ThisMachine.Name, result.Output.Trim());
    }

    [SkippableFact]
    public async Task Compare_attributes_the_time_of_fused_kernels_to_the_layers_of_the_original()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open("mnist8");
        var compressed = await Cli.Run("compress", zoo.Model, "-o", File("int8.onnx"), "--profile", "x64-avx2", "--technique", "int8", "--calibration",
            zoo.Calibration, "--evaluation", zoo.Evaluation);
        Assert.Equal(0, compressed.ExitCode);
        var result = await Cli.Run("compare", File("int8.onnx"), zoo.Model, "--inputs", zoo.Calibration, "--json");
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        var convolutions = json.RootElement.EnumerateArray().Where(l => l.GetProperty("operator").GetString() == "Conv").ToList();
        Assert.Equal(2, convolutions.Count);
        // A layer that runs takes time, in either model, however it is fused.
        Assert.All(convolutions, l => Assert.True(l.GetProperty("microseconds").GetDouble() > 0 && l.GetProperty("originalMicroseconds").GetDouble() > 0));
        Assert.Contains(json.RootElement.EnumerateArray(), l => l.GetProperty("sqnr").ValueKind == JsonValueKind.Number && l.GetProperty("sqnr")
            .GetDouble() is > 20 and < 100);
    }

    [Theory]
    [InlineData(2, "x64-avx22", "Did you mean \"x64-avx2\"?", "MDLB0020")]
    [InlineData(2, "directml-fp16", "later version", "MDLB0023")]
    [InlineData(2, "x64-avx2 --technique int9", "did you mean 'int8'", "MDLB0030")]
    [InlineData(2, "x64-avx2 --threads 0", "at least 1", "MDLB0002")]
    [InlineData(2, "x64-avx2 --no-such-option", "--no-such-option", "")]
    [InlineData(1, "x64-avx2 --technique int8 --max-accuracy-loss 0 --max-size 1KB", "1000", "MDLB2007")]
    public async Task What_is_wrong_is_said_with_its_code_and_nothing_is_written(int exitCode, string arguments, string text, string code)
    {
        var result = await Cli.Run(["compress", Model, "-o", File("out.onnx"), "--calibration", Path.Combine(Models, "calibration.npz"), "--profile",
            .. arguments.Split(' ')]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(text, result.Error, StringComparison.Ordinal);
        Assert.Contains(code, result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
        Assert.Empty(_folder.GetFiles());
    }

    [Theory]
    [InlineData("", "MDLB1002")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "MDLB1003")]
    [InlineData("no model at all", "MDLB1004")]
    public async Task A_file_that_is_no_model_is_refused_with_its_code(string content, string code)
    {
        System.IO.File.WriteAllText(File("bad.onnx"), content);
        var result = await Cli.Run("inspect", File("bad.onnx"), "--json");
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Contains(code, result.Error, StringComparison.Ordinal);
    }
}
