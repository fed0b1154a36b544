using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Ranges of values that lead to an answer go beyond what was seen; those of others do not.</summary>
public sealed class AnswerRangeTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    [Theory]
    [InlineData("int8(minmax)")]
    [InlineData("int8(mse)")]
    [InlineData("int8(percentile)")]
    [InlineData("int8(entropy)")]
    public void Scores_before_a_softmax_are_not_cut_off(string recipe)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 4, 8, 8));
        Value Conv(Value from, string name, int seed) =>
            graph.AddNode("Conv", [from, graph.AddInitializer(name + ".w", Tensor.Of(Nets.Noise(4 * 4, seed), 4, 4, 1, 1))], [name]).Output;
        var scores = Conv(Conv(x, "hidden", 1), "scores", 2);
        var rows = graph.AddNode("Reshape", [scores, graph.AddInitializer("shape", Tensor.Vector(1L, 4, 64))], ["rows"]).Output;
        var y = graph.AddNode("Softmax", [rows], ["y"]);
        y.Attributes["axis"] = 1L;
        y.Output.Type = TensorType.Of(ElementType.Float, 1, 4, 64);
        graph.AddOutput(y.Output);
        var source = ModelSource.Open(_nets.Write(model), new Dictionary<string, long>());
        var data = new ListDataset([.. Enumerable.Range(0, 40)
            .Select(i => new Dictionary<string, Tensor> { ["x"] = Tensor.Of(Nets.Noise(256, i), 1, 4, 8, 8) })]);
        var pipeline = new Compression.Planning.Pipeline(new TechniqueRegistry(), source.Simplified!, (m, _, names) => Calibrator.Run(m, data, names, 1));
        var planned = pipeline.TryPlan(Recipe.Parse(recipe), BuiltInProfiles.Get("x64-avx512vnni"),
            new OnnxRuntimeCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>()))!;
        var tensors = ((StaticInt8Plan)planned.Plan.Steps[0].Plan).Tensors;
        var seen = Calibrator.Run(source.Simplified!, data, ["hidden", "scores"], 1);
        double Ratio(string name) => 255 * tensors[name].Scale / (seen[name].Maximum - (double)seen[name].Minimum);
        Assert.InRange(Ratio("scores"), 1.249, 1.251);
        Assert.InRange(Ratio("hidden"), 0.5, 1.001);
    }

    [Fact]
    public void Long_chains_of_gates_that_lead_to_no_answer_take_no_time()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        Value Conv(Value from, string name) => graph.AddNode("Conv", [from, graph.AddInitializer(name + ".w", Tensor.Of(Nets.Noise(16, 1), 4, 4, 1, 1))], [name]).Output;
        var value = Conv(Conv(graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 4, 8, 8)), "first"), "second");
        // Two ways from each to the next: 2^60 in all.
        for (var i = 0; i < 60; i++)
            value = graph.AddNode("Mul", [value, graph.AddNode("Sigmoid", [value], [$"s{i}"]).Output], [$"m{i}"]).Output;
        var y = Conv(value, "y");
        y.Type = TensorType.Of(ElementType.Float, 1, 4, 8, 8);
        graph.AddOutput(y);
        var source = ModelSource.Open(_nets.Write(model), new Dictionary<string, long>());
        var data = new ListDataset([new Dictionary<string, Tensor> { ["x"] = Tensor.Of(Nets.Noise(256, 3), 1, 4, 8, 8) }]);
        var pipeline = new Compression.Planning.Pipeline(new TechniqueRegistry(), source.Simplified!, (m, _, names) => Calibrator.Run(m, data, names, 1));
        var costs = new OnnxRuntimeCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>());
        Assert.NotNull(pipeline.TryPlan(Recipe.Parse("int8"), BuiltInProfiles.Get("x64-avx512vnni"), costs));
    }
}
