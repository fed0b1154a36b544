using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Tests;

/// <summary>
/// ONNX Runtime 1.31.1 ends the process when it moves a DequantizeLinear through an operator whose result a branch of an If reads (an assertion in its C++
/// library). What it is given keeps these apart, but for single numbers. Nothing in that process can catch it: the candidate is found in the journal by the
/// next one, and the model still gets its artifact.
/// </summary>
public sealed class NativeAbortTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-abort-");

    public void Dispose() => _folder.Delete(true);

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private static Tensor Numbers(int seed, params long[] shape)
    {
        var random = new Random(seed);
        return Tensor.Of(Enumerable.Range(0, (int)Tensor.Count(shape)).Select(_ => (float)random.NextDouble() - 0.5f).ToArray(), shape);
    }

    private void WriteModel(string path)
    {
        var model = new Model { IrVersion = 8, Opset = 13 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 8, 3, 3));
        Value Node(string op, string name, params Value[] inputs) => graph.AddNode(op, inputs, [name]).Output;
        var number = Node("Relu", "relu", Node("Conv", "conv", x, graph.AddInitializer("w", Numbers(1, 1, 8, 3, 3)), graph.AddInitializer("b", Numbers(2, 1))));
        var scalar = Node("Reshape", "scalar", number, graph.AddInitializer("none", Tensor.Of(Array.Empty<long>(), 0)));
        var branch = graph.AddNode("If", [Node("Greater", "positive", scalar, graph.AddInitializer("k", Tensor.Scalar(0.1f)))], ["either"]);
        foreach (var (name, op) in new[] { ("then_branch", "Relu"), ("else_branch", "Tanh") })
        {
            var body = new Graph(model, graph) { Name = name };
            body.AddOutput(body.AddNode(op, [scalar], [name + ".y"]).Output);
            branch.Attributes[name] = body;
        }
        var y = Node("Add", "y", Node("Conv", "conv2", x, graph.AddInitializer("w2", Numbers(3, 16, 8, 3, 3)), graph.AddInitializer("b2", Numbers(4, 16))),
            branch.Output);
        y.Type = TensorType.Of(ElementType.Float, 1, 16, 1, 1);
        graph.AddOutput(y);
        OnnxWriter.Write(model, path);
    }

    [Fact]
    public async Task A_candidate_that_ends_the_process_costs_itself_alone()
    {
        WriteModel(In("model.onnx"));
        NpyWriter.WriteNpz(In("data.npz"), [KeyValuePair.Create("x", Numbers(5, 24, 1, 8, 3, 3))]);
        var result = await Cli.Run("compress", In("model.onnx"), "-o", In("small.onnx"), "--profile", "x64-avx512vnni", "--calibration", In("data.npz"),
            "--technique", "int8(mse)+weights-int8", "--report", In("report.json"));
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
        // A later ONNX Runtime may take the candidate.
        if (Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString().StartsWith("1.31.", StringComparison.Ordinal))
            Assert.Contains("MDLB2009", result.Error, StringComparison.Ordinal);
        var sample = new Dictionary<string, Tensor> { ["x"] = Numbers(6, 1, 8, 3, 3) };
        using var original = new OnnxRuntimeRunner(In("model.onnx"));
        using var small = new OnnxRuntimeRunner(In("small.onnx"));
        Assert.Equal<long>(original.Run(sample)["y"].Shape, small.Run(sample)["y"].Shape);
    }
}
