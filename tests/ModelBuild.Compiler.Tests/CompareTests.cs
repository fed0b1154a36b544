using System.Text.Json;
using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Tests;

/// <summary>The command <c>compare</c> on models of every form.</summary>
public sealed class CompareTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-compare-");

    public void Dispose() => _folder.Delete(true);

    private string InFolder(string name) => Path.Combine(_folder.FullName, name);

    [Fact]
    public async Task Compare_passes_over_nodes_without_outputs_and_values_that_are_no_tensors()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 4));
        // ONNX Runtime leaves it out.
        var nothing = g.AddNode("If", [], []);
        foreach (var branch in new[] { "then_branch", "else_branch" })
            nothing.Attributes[branch] = new Graph(model, g) { Name = branch };
        var parts = g.AddNode("SplitToSequence", [x], ["parts"]);
        var sum = g.AddNode("Add", [x, g.AddNode("ConcatFromSequence", [parts.Output], ["joined"]).Output], ["sum"]);
        parts.Outputs[0].Uses[0].Node.Attributes["axis"] = 0;
        sum.Output.Type = TensorType.Of(ElementType.Float, 4);
        g.AddOutput(sum.Output);
        OnnxWriter.Write(model, InFolder("if.onnx"));
        NpyWriter.WriteNpz(InFolder("x.npz"), [new("x", Tensor.Of(new[] { 1f, 2, 3, 4 }, 1, 4))]);

        var result = await Cli.Run("compare", InFolder("if.onnx"), InFolder("if.onnx"), "--inputs", InFolder("x.npz"), "--json");

        Assert.True(result.ExitCode == 0, result.Error);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Contains(json.RootElement.EnumerateArray(), l => l.GetProperty("operator").GetString() == "Add" && l.GetProperty("maximum").GetDouble() == 8);
    }
}
