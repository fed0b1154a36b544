using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>Layers that are left in float so that the rest can be integer.</summary>
public sealed class PrecisionSearchTests : IDisposable
{
    private const int Size = 24;

    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    /// <summary>A search where noises add up.</summary>
    private static PrecisionSearch Sums(Dictionary<string, double> parts, Action? measured = null) => new(left =>
    {
        measured?.Invoke();
        return parts.Where(p => !left.Contains(p.Key)).Sum(p => p.Value);
    });

    [Fact]
    public void As_few_layers_as_it_takes()
    {
        var parts = new Dictionary<string, double> { ["a"] = 8, ["b"] = 4, ["c"] = 2, ["d"] = 1, ["e"] = 1 };
        Assert.Equal(["a"], Sums(parts).Find(["a", "b", "c", "d", "e"], 8)!);
        Assert.Equal(["a", "b"], Sums(parts).Find(["a", "b", "c", "d", "e"], 4)!);
        Assert.Equal(["a", "b", "c"], Sums(parts).Find(["a", "b", "c", "d", "e"], 3)!);
        Assert.Equal(["a", "b", "c", "d", "e"], Sums(parts).Find(["a", "b", "c", "d", "e"], 0)!);
        // What is enough already needs one layer at most.
        Assert.True(Sums(parts).Find(["a", "b"], 16)!.Count <= 1);
    }

    [Fact]
    public void What_was_not_needed_goes_back()
    {
        // First in the order, since they save nothing, and hardly any noise.
        var parts = new Dictionary<string, double> { ["free"] = 0.1, ["cheap"] = 0.1, ["a"] = 8, ["b"] = 4, ["c"] = 2 };
        Assert.Equal(["a"], Sums(parts).Find(["free", "cheap", "a", "b", "c"], 7)!);
    }

    [Fact]
    public void Where_no_choice_is_enough_there_is_none()
    {
        var parts = new Dictionary<string, double> { ["a"] = 8, ["elsewhere"] = 5 };
        Assert.Null(Sums(parts).Find(["a"], 4));
        Assert.Null(Sums(parts).Find([], 4));
        Assert.Null(new PrecisionSearch(_ => double.NaN).Find(["a"], double.NegativeInfinity));
    }

    [Fact]
    public void The_same_layers_are_measured_once()
    {
        var count = 0;
        var search = Sums(new() { ["a"] = 8, ["b"] = 4, ["c"] = 2 }, () => count++);
        var found = search.Find(["a", "b", "c"], 3);
        var once = count;
        Assert.Equal(found, search.Find(["a", "b", "c"], 3));
        Assert.Equal(once, count);
    }

    /// <summary>Three products, the first of which reads one input of a thousand times the size of the others, that counts for as little.</summary>
    private string Skewed()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var value = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, Size));
        for (var layer = 0; layer < 3; layer++)
        {
            var weights = Nets.Noise(Size * Size, layer + 1);
            if (layer == 0)
                for (var i = 0; i < Size; i++)
                    weights[i] /= 1000;
            var product = graph.AddNode("MatMul", [value, graph.AddInitializer($"w{layer}", Tensor.Of(weights, Size, Size))], [$"y{layer}"]).Output;
            product.Type = TensorType.Of(ElementType.Float, 1, Size);
            value = layer == 2 ? product : graph.AddNode("Relu", [product], [$"r{layer}"]).Output;
            value.Type = product.Type;
        }
        graph.AddOutput(value);
        return _nets.Write(model);
    }

    private string Data(int count)
    {
        var x = Nets.Noise(count * Size, 9);
        for (var i = 0; i < count; i++)
            x[i * Size] *= 1000;
        return _nets.Data(("x", Tensor.Of(x, count, 1, Size)));
    }

    [Fact]
    public void Who_asks_for_integers_gets_them_where_they_hold()
    {
        var outcome = Nets.Compress(Skewed(), Data(64), "int8", o => o with { Metric = "sqnr" });

        var chosen = outcome.Chosen.Candidate;
        Assert.Equal("int8", chosen.Recipe);
        var plan = Assert.IsType<StaticInt8Plan>(Assert.Single(chosen.Plan!.Steps).Plan);
        Assert.Equal(["y1", "y2"], plan.Decisions.Select(d => d.Key));
        Assert.Matches("in integers it would be (100|9[0-9])[0-9.]*% of the noise of all layers", chosen.Plan.WhyKept("y0"));
        Assert.Equal(["w1_q", "w2_q"], chosen.Model!.Graph.Nodes.Where(n => n.Is("DequantizeLinear") && n.Inputs[0]!.Constant is not null)
            .Select(n => n.Inputs[0]!.Name));
        Assert.True(chosen.Choose!.Deciding.Loss <= 0.01);
        var said = Assert.Single(outcome.Findings, f => f.Code == "MDLB2026");
        Assert.StartsWith("int8: 'y0' (in integers it would be ", said.Text, StringComparison.Ordinal);
        // With all three, and so without the search, it would not be.
        Assert.Contains(outcome.Candidates, c => c is { Candidate: { Recipe: "int8", Floats.Count: 0 }, Accepted: false });
    }

    [SkippableTheory]
    // A layer of If's branch; its weights may be stored in 8 bits. Left to itself the build takes dynamic-int8 here.
    [InlineData("silero_vad", "x64-avxvnni", "int8", "int8(minmax)+weights-int8+bias-correction")]
    // The first LSTM reads features that are skewed; its weights may not.
    [InlineData("resemblyzer", "x64-avxvnni", "dynamic-int8", "auto")]
    public void Real_models_keep_their_integers_but_for_a_layer(string name, string profile, string technique, string asked)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var outcome = Nets.Compress(zoo.Model, zoo.Calibration, asked, o => o with { Profiles = [BuiltInProfiles.Get(profile)], Measure = false,
            EvaluationData = [zoo.Evaluation], MetricOutputs = zoo.MetricOutputs }, backends: ["managed", "onnxruntime"]);

        var chosen = outcome.Chosen.Candidate;
        Assert.Equal(technique, chosen.Plan!.Recipe.Steps[0].Technique);
        Assert.Contains(chosen.Floats, f => f.Value.Contains("of the noise of all layers", StringComparison.Ordinal));
        var integers = chosen.Plan.Steps[0].Plan.Decisions.Select(d => d.Key).ToList();
        Assert.True(integers.Count >= 2, string.Join(' ', integers));
        Assert.Empty(integers.Intersect(chosen.Floats.Keys));
        Assert.True(chosen.Artifact.Length < 0.6 * Directory.EnumerateFiles(Path.GetDirectoryName(zoo.Model)!, "model.onnx*").Sum(f => new FileInfo(f).Length),
            $"{chosen.Artifact.Length} bytes");
        Assert.True(chosen.Report!.Deciding.Loss <= 0.01, $"{chosen.Report.Deciding}");
        // What they are left out of is out of budget.
        Assert.Contains(outcome.Candidates, c => !c.Accepted && c.Candidate.Floats.Count < chosen.Floats.Count
            && c.Candidate.Choose is { } choose && choose.Deciding.Loss > 0.01 && c.LatencyRatio < outcome.Chosen.LatencyRatio);
    }
}
