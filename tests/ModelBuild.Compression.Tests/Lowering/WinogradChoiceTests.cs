using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Onnx.Simplification;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Lowering;

/// <summary>Winograd's algorithm is chosen by what it does to layers on data, and the choice is part of the plan.</summary>
public sealed class WinogradChoiceTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("cifar_resnet20", 16)]
    [InlineData("burn_mnist", 2)]
    [InlineData("own_mnist_cnn_bn", 1)]
    [InlineData("ultraface", 5)]
    [InlineData("mlsd_tiny", 5)]
    [InlineData("ppocr_det", 5)]
    public void Layers_of_real_models_are_computed_so(string name, int count)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
        var plan = ManagedLowering.Choose(source.Simplified!, data);
        foreach (var layer in plan.Winograd)
            output.WriteLine($"{layer.Key}: {layer.Error}");
        Assert.All(plan.Winograd, static l => Assert.InRange(l.Error ?? 1, 1e-9, 1e-5));
        Assert.All(plan.Winograd, static l => Assert.True(l.IsTaken));
        Assert.Equal(count, plan.Winograd.Count);
        Assert.Equal(count, CallsOf(source.Simplified!, plan));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_layer_that_it_spoils_is_computed_directly(bool withData)
    {
        // Two layers alike, but that the second one's results are small differences of large numbers: each kernel adds up to nothing, and pixels are alike.
        var model = new Model { Opsets = { [""] = 17 } };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 8, 16, 16));
        var weights = Nets.Noise(16 * 8 * 9, 3);
        var first = graph.AddNode("Conv", [x, graph.AddInitializer("w1", Tensor.Of(weights, 16, 8, 3, 3))], ["h"]);
        var offset = graph.AddNode("Add", [first.Output, graph.AddInitializer("far", Tensor.Scalar(1e5f))], ["o"]);
        var differences = Nets.Noise(16 * 16 * 9, 4);
        for (var k = 0; k < differences.Length; k += 9)
        {
            var mean = differences.AsSpan(k, 9).ToArray().Average();
            for (var i = 0; i < 9; i++)
                differences[k + i] -= mean;
        }
        var second = graph.AddNode("Conv", [offset.Output, graph.AddInitializer("w2", Tensor.Of(differences, 16, 16, 3, 3))], ["y"]);
        graph.AddOutput(second.Output);
        Simplifier.Run(model, new());
        var samples = withData ? new ListDataset([.. Enumerable.Range(0, 3).Select(i => new Dictionary<string, Tensor>
        {
            ["x"] = Tensor.Of(Nets.Noise(8 * 16 * 16, 10 + i), 1, 8, 16, 16),
        })]) : null;
        var plan = ManagedLowering.Choose(model, samples);
        Assert.Equal(["o", "y"], plan.Winograd.Select(static l => l.Key));
        Assert.True(plan.Winograd[0].IsTaken);
        // Noise does not know what the layer is fed.
        Assert.Equal(!withData, plan.Winograd[1].IsTaken);
        Assert.Equal(withData ? 1 : 2, CallsOf(model, plan));
        Assert.Equal(0, CallsOf(model, null));
    }

    [Fact]
    public void The_choice_is_part_of_the_plan()
    {
        var plan = new Plan(Recipe.Parse("simplify"), []) { Lowering = new([new("a", true, 4e-6), new("b", false)]) };
        var read = Plan.FromJson(plan.ToJson(new()), new());
        Assert.Equal(plan.Lowering.Winograd, read.Lowering!.Winograd);
        Assert.True(read.Lowering.IsByWinograd("a"));
        Assert.False(read.Lowering.IsByWinograd("b"));
        Assert.False(read.Lowering.IsByWinograd("c"));
    }

    private int CallsOf(Model model, LoweringPlan? plan)
    {
        Assert.True(ManagedLowering.TryLower(model, new byte[32], plan, out var program, out var why), why);
        var path = _folder.File("m.modelbuild");
        File.WriteAllBytes(path, program);
        return ManagedCostModel.KernelsOf(path, model.Graph.Inputs.SelectMany(static i => i.Type!.Shape).Select(static d => d.Name).OfType<string>().Distinct()
            .ToDictionary(static d => d, static _ => 64L)).Count(static k => k.Kernel == "WinogradF32");
    }
}
