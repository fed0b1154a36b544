using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>A step works on the model that the steps before it left.</summary>
public sealed class PipelineTests : IDisposable
{
    // So many that ranges are those of the values seen.
    private const int Samples = 400, Inputs = 16, Hidden = 32, Kept = 8;

    private readonly Nets _nets = new();
    private readonly float[] _x = Nets.Noise(Samples * Inputs, 3);
    private readonly TechniqueRegistry _techniques = new();
    private readonly ModelSource _source;
    private readonly Dataset _data;

    public PipelineTests()
    {
        _techniques.Register(Prune);
        _source = ModelSource.Open(_nets.Softmax(), new Dictionary<string, long>());
        _data = DataLoader.Open([_nets.Data(("x", Tensor.Of(_x, Samples, Inputs)))], _source.Interface, new(), "CalibrationData")!;
    }

    public void Dispose() => _nets.Dispose();

    /// <summary>Keeps the first channels of the hidden layer, eight times as strong.</summary>
    private static StubTechnique Prune => new("test-prune", n => n.Output.Name == "h" && n.Inputs[1]!.Constant!.Shape[1] == Hidden, model =>
    {
        var graph = model.Graph;
        var h = graph.Nodes.Single(n => n.Output.Name == "h");
        var scores = graph.Nodes.Single(n => n.Output.Name == "scores");
        var (w1, w2) = (h.Inputs[1]!.Constant!.ToArray<float>(), scores.Inputs[1]!.Constant!.ToArray<float>());
        h.SetInput(1, graph.AddInitializer("p1", Tensor.Of([.. Enumerable.Range(0, Inputs * Kept).Select(i => 8 * w1[i / Kept * Hidden + i % Kept])], Inputs,
            Kept)));
        scores.SetInput(1, graph.AddInitializer("p2", Tensor.Of(w2[..(Kept * 4)], Kept, 4)));
        foreach (var value in new[] { h.Output, h.Output.Uses[0].Node.Output })
            value.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(Kept)]);
    });

    private Compression.Planning.Pipeline Open(Statistics? statistics) => new(_techniques, _source.Simplified!, statistics);

    private static readonly HardwareProfile Profile = BuiltInProfiles.Get("x64-avx512vnni");

    private static readonly OnnxRuntimeCosts Costs = new(CostTable.Load("avx512vnni"), new Dictionary<string, long>());

    private Planned Plan(string recipe, List<string>? chains = null) => Open((model, chain, names) =>
    {
        chains?.Add(chain);
        return Calibrator.Run(model, _data, names, 1);
    }).TryPlan(Recipe.Parse(recipe), Profile, Costs)!;

    /// <summary>The largest value of the first hidden channels over the data, computed here.</summary>
    private double Largest(int channels)
    {
        var w = _source.Simplified!.Graph.Nodes.Single(n => n.Output.Name == "h").Inputs[1]!.Constant!.ToArray<float>();
        return Enumerable.Range(0, Samples)
            .SelectMany(s => Enumerable.Range(0, channels).Select(c => Enumerable.Range(0, Inputs).Sum(i => (double)_x[s * Inputs + i] * w[i * Hidden + c])))
            .Max();
    }

    [Fact]
    public void Ranges_are_those_of_the_model_that_the_steps_before_left()
    {
        double Scale(string recipe) => ((StaticInt8Plan)Plan(recipe).Plan.Steps[^1].Plan).Tensors["hr"].Scale * 255.0;
        Assert.Equal(Largest(Hidden), Scale("int8(minmax)"), Largest(Hidden) * 1e-4);
        Assert.Equal(8 * Largest(Kept), Scale("test-prune+int8(minmax)"), 8 * Largest(Kept) * 1e-4);
    }

    [Fact]
    public void Weights_are_those_of_the_model_that_the_steps_before_left()
    {
        var model = Plan("test-prune+int8(minmax)").Model;
        Assert.Equal([[Inputs, Kept], [Kept, 4]], model.Graph.Initializers.Where(i => i.Constant is { ElementType: ElementType.Int8, Rank: 2 })
            .Select(i => i.Constant!.Shape.ToArray()));
        ShapeInference.Run(model);
        Assert.Equal(4, model.Graph.Outputs[0].Type!.Shape[1].Value);
    }

    [Fact]
    public void What_was_gathered_of_another_model_is_not_mistaken_for_this_one()
    {
        List<string> chains = [];
        Plan("int8(minmax)", chains);
        Plan("int8(mse)+weights-int8", chains);
        Plan("test-prune+int8(minmax)", chains);
        Assert.Equal(3, chains.Count);
        Assert.Equal(chains[0], chains[1]);
        Assert.NotEqual(chains[0], chains[2]);
    }

    [Fact]
    public void Steps_run_in_the_order_of_the_recipe()
    {
        // Weights that are integers already are no floats to round.
        Assert.Equal(["weights-float16"], Plan("weights-float16+weights-int8").Plan.Steps.Select(s => s.Step.Technique));
        Assert.Equal(["weights-int8"], Plan("weights-int8+weights-float16").Plan.Steps.Select(s => s.Step.Technique));
        Assert.Equal(["test-prune", "int8"], Plan("test-prune+int8+weights-int8").Plan.Steps.Select(s => s.Step.Technique));
    }

    [Fact]
    public void A_recipe_whose_first_step_finds_nothing_is_none_and_so_is_one_without_the_data_it_needs()
    {
        Assert.Null(Open(null).TryPlan(Recipe.Parse("int8+weights-int8"), Profile, Costs));
        Assert.Equal(["weights-int8"], Open(null).TryPlan(Recipe.Parse("weights-int8+int8"), Profile, Costs)!.Plan.Steps.Select(s => s.Step.Technique));
        Assert.Same(_source.Simplified, Open(null).TryPlan(Recipe.Simplify, Profile, Costs)!.Model);
    }

    [Theory]
    [InlineData("test-prune+int8(mse)+weights-int8")]
    [InlineData("dynamic-int8")]
    [InlineData("test-prune+weights-float16")]
    [InlineData("simplify")]
    public void A_plan_read_back_gives_the_same_bytes_without_data(string recipe)
    {
        var planned = Plan(recipe);
        var text = planned.Plan.ToJson(_techniques);
        var read = Read(text);
        Assert.Equal(text, read.ToJson(_techniques));
        Assert.Equal(OnnxWriter.ToBytes(planned.Model), OnnxWriter.ToBytes(Open(null).Apply(read).Model));
    }

    private Plan Read(string text) => Compression.Planning.Plan.FromJson(text, _techniques);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{ "format": 1, "recipe": "int8", "decisions": [] }""")]
    [InlineData("""{ "format": 3, "recipe": "int8" }""")]
    [InlineData("""{ "format": 3, "recipe": "int8", "steps": [{ "step": "int8", "plan": null }] }""")]
    [InlineData("""{ "format": 3, "recipe": "int8", "steps": [{ "step": "int8", "plan": {} }] }""")]
    [InlineData("""{ "format": "two", "recipe": "int8", "steps": [] }""")]
    [InlineData("""{ "format": 3, "recipe": 7, "steps": [{}] }""")]
    public void What_is_no_plan_is_refused(string text) => Assert.ThrowsAny<System.Text.Json.JsonException>(() => Read(text));

    [Fact]
    public void A_plan_of_an_unknown_technique_is_refused_by_name()
    {
        var thrown = Assert.Throws<CompressionException>(() => Read("""{ "format": 3, "recipe": "magic", "steps": [{ "step": "magic", "plan": {} }] }"""));
        Assert.Equal("MDLB0030", thrown.Code);
    }

    [Fact]
    public void The_simplified_model_is_never_changed()
    {
        var before = OnnxWriter.ToBytes(_source.Simplified!);
        foreach (var recipe in new[] { "test-prune+int8(mse)+weights-int8", "dynamic-int8+weights-int8", "weights-float16" })
            Plan(recipe);
        Assert.Equal(before, OnnxWriter.ToBytes(_source.Simplified!));
    }

    [Theory]
    [InlineData("weights-int8")]
    [InlineData("weights-int4")]
    public void Weights_that_the_answers_need_are_not_rounded(string recipe)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var x = model.Graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 32));
        var a = model.Graph.AddNode("MatMul", [x, model.Graph.AddInitializer("wa", Tensor.Of(Nets.Noise(32 * 32, 1), 32, 32))], ["a"]).Output;
        var b = model.Graph.AddNode("MatMul", [a, model.Graph.AddInitializer("wb", Tensor.Of(Nets.Noise(32 * 32, 2), 32, 32))], ["b"]).Output;
        model.Graph.AddOutput(b);
        ShapeInference.Run(model);
        var pipeline = new Compression.Planning.Pipeline(_techniques, model, null);
        IEnumerable<string> Rounded(string[] exact) => pipeline.TryPlan(Recipe.Parse(recipe), BuiltInProfiles.Get("x64-avx2"),
            new OnnxRuntimeCosts(CostTable.Load("avx2"), new Dictionary<string, long>()), null, exact)!.Plan.Changes.Select(c => c.Change.Layer.Key);

        // Before and after: what is planned once for all targets is not this.
        Assert.Equal(["a", "b"], Rounded([]));
        Assert.Equal(["b"], Rounded(["a"]));
        Assert.Equal(["a", "b"], Rounded([]));
        Assert.Equal(["a"], Rounded(["b"]));
    }
}
