using System.Security.Cryptography;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Weights in 4 bits: what is written is what ONNX Runtime folds, in every kind of layer; what is lost, and that nothing is left over.</summary>
public sealed class WeightsInt4Tests(ITestOutputHelper output) : IDisposable
{
    private static readonly HardwareProfile Profile = BuiltInProfiles.Get("x64-avx512vnni");

    private static readonly OnnxRuntimeCosts Costs = new(CostTable.Load("avx512vnni"), new Dictionary<string, long>());

    private readonly Nets _nets = new();
    private readonly TechniqueRegistry _techniques = new();

    public void Dispose() => _nets.Dispose();

    /// <summary>A model of one layer: x to y.</summary>
    private static (Model Model, Dictionary<string, Tensor> Inputs) Layer(string kind, long[] shape, long opset = 13, Func<int, float[]>? weights = null)
    {
        var model = new Model { IrVersion = 8, Opset = opset };
        var graph = model.Graph;
        var count = (int)Tensor.Count(shape);
        var w = graph.AddInitializer("w", Tensor.Of(weights?.Invoke(count) ?? Nets.Noise(count, 3), shape));
        long[] sizes = kind switch
        {
            "MatMul" => [3, shape[0]],
            "batched" => [shape[0], 3, shape[1]],
            "Gemm" => [3, shape[1]],
            "Conv" => [2, shape[1], 9, 9],
            "grouped" => [2, 2 * shape[1], 9, 9],
            "Conv1" => [2, shape[1], 20],
            "ConvTranspose" => [2, shape[0], 5, 5],
            "Gather" => [5],
            _ => [4, 2, shape[2]],
        };
        var x = graph.AddInput("x", TensorType.Of(kind == "Gather" ? ElementType.Int64 : ElementType.Float, sizes));
        var node = kind switch
        {
            "Gemm" => graph.AddNode("Gemm", [x, w], ["y"]),
            "batched" => graph.AddNode("MatMul", [x, w], ["y"]),
            "grouped" or "Conv1" => graph.AddNode("Conv", [x, w], ["y"]),
            "Gather" => graph.AddNode("Gather", [w, x], ["y"]),
            "LSTM" or "GRU" or "RNN" => graph.AddNode(kind, [x, w, graph.AddInitializer("r", Tensor.Of(Nets.Noise((int)(shape[0] * shape[1] * Hidden(kind, shape)), 5),
                shape[0], shape[1], Hidden(kind, shape)))], ["y"]),
            _ => graph.AddNode(kind, [x, w], ["y"]),
        };
        if (kind == "Gemm")
            node.Attributes["transB"] = 1L;
        if (kind == "grouped")
            node.Attributes["group"] = 2L;
        if (kind is "LSTM" or "GRU" or "RNN")
        {
            node.Attributes["hidden_size"] = Hidden(kind, shape);
            if (shape[0] == 2)
                node.Attributes["direction"] = "bidirectional";
        }
        node.Output.Type = new(ElementType.Float, default);
        graph.AddOutput(node.Output);
        var given = kind == "Gather" ? Tensor.Vector(0L, shape[0] - 1, 1, 2, 0) : Tensor.Of(Nets.Noise((int)Tensor.Count(sizes), 4), sizes);
        return (model, new() { ["x"] = given });
    }

    private static long Hidden(string kind, long[] shape) => shape[1] / (kind == "LSTM" ? 4 : kind == "GRU" ? 3 : 1);

    private Planned Plan(ModelSource source, string recipe) =>
        new Compression.Planning.Pipeline(_techniques, source.Simplified!, null).TryPlan(Recipe.Parse(recipe), Profile, Costs)!;

    private ModelSource Open(Model model) => ModelSource.Open(_nets.Write(model), new Dictionary<string, long>());

    /// <summary>Noise over signal.</summary>
    private static double Noise(Tensor expected, Tensor actual) => expected.ToArray<float>().Zip(actual.ToArray<float>(), (a, b) => (double)(a - b) * (a - b)).Sum()
        / expected.ToArray<float>().Sum(static a => (double)a * a);

    [Theory]
    [InlineData("MatMul", 64, 48)]
    [InlineData("MatMul", 64, 48, 128)]
    // Lengths that no block divides: filled up, and cut off again.
    [InlineData("MatMul", 257, 33)]
    [InlineData("MatMul", 257, 33, 16)]
    [InlineData("MatMul", 300, 1)]
    [InlineData("MatMul", 37, 7)]
    [InlineData("Gemm", 40, 96)]
    [InlineData("Gemm", 5, 251)]
    [InlineData("Gemm", 1, 300, 64)]
    [InlineData("Conv1", 8, 12, 0, 5)]
    public void What_is_written_is_what_is_folded(string kind, long first, long second, int block = 32, long third = 0) =>
        Check(kind, third == 0 ? [first, second] : [first, second, third], block == 0 ? 32 : block);

    [Theory]
    [InlineData("batched", 3, 40, 9)]
    [InlineData("LSTM", 1, 64, 37)]
    [InlineData("LSTM", 2, 32, 20)]
    [InlineData("GRU", 2, 48, 64)]
    [InlineData("RNN", 1, 24, 33)]
    [InlineData("Gather", 12, 40, 1)]
    public void And_in_three_dimensions(string kind, long first, long second, long third) =>
        Check(kind, kind == "Gather" ? [first, second] : [first, second, third], 32);

    [Theory]
    [InlineData("Conv", 8, 16, 3, 3)]
    [InlineData("Conv", 6, 7, 3, 3)]
    [InlineData("Conv", 3, 131, 1, 1)]
    [InlineData("grouped", 16, 5, 3, 3)]
    [InlineData("ConvTranspose", 24, 6, 2, 2)]
    [InlineData("ConvTranspose", 9, 3, 3, 5)]
    [InlineData("ConvTranspose", 4, 3, 6, 6)]
    public void And_of_convolutions(string kind, long first, long second, long third, long fourth) => Check(kind, [first, second, third, fourth], 32);

    private void Check(string kind, long[] shape, int block)
    {
        var (model, inputs) = Layer(kind, shape);
        var source = Open(model);
        var planned = Plan(source, $"weights-int4({block})");
        var stored = Assert.IsType<WeightsInt4Plan>(planned.Plan.Steps.Single().Plan).Layers.Single();
        Assert.Equal(4, stored.Bits);
        // Uniform noise, in blocks of so many: normally about 0.004.
        Assert.InRange(stored.Error, 1e-4, 0.008);
        Assert.Equal(21, planned.Model.Opset);
        // The floats are gone, all integers have 4 bits, and nothing is unpacked in a call.
        var constants = planned.Model.Graphs.SelectMany(g => g.Initializers).Select(i => i.Constant!).ToList();
        Assert.DoesNotContain(constants, c => c.ElementType == ElementType.Float && c.Length >= 256);
        Assert.Equal(kind is "LSTM" or "GRU" or "RNN" ? 4 : 2, constants.Count(c => c.ElementType == ElementType.UInt4));
        var path = _nets.Write(planned.Model);
        Assert.DoesNotContain(OptimizedGraph.Of(path).Operators.Keys, static o => o is "Cast" or "Sub" or "Mul" or "Reshape" or "Slice");
        using var runtime = new OnnxRuntimeRunner(path);
        using var original = OnnxRuntimeRunner.Unoptimized(model, 1);
        var (expected, folded, reference) = (original.Run(inputs)["y"], runtime.Run(inputs)["y"], new Interpreter(planned.Model).Run(inputs)["y"]);
        Assert.InRange(Noise(reference, folded), 0, 1e-10);
        Assert.InRange(Noise(expected, folded), 1e-5, 0.02);
        // Read back and applied without data: the same bytes.
        var tensors = new PlanTensors();
        var read = Compression.Planning.Plan.FromJson(planned.Plan.ToJson(_techniques, tensors), _techniques, tensors);
        Assert.Equal(OnnxWriter.ToBytes(planned.Model), OnnxWriter.ToBytes(new Compression.Planning.Pipeline(_techniques, source.Simplified!, null).Apply(read).Model));
    }

    [Theory]
    [InlineData("MatMul", 64, 48, 32)]
    [InlineData("MatMul", 257, 33, 16)]
    [InlineData("MatMul", 20, 40, 32)]
    [InlineData("Gemm", 40, 96, 64)]
    [InlineData("Gemm", 9, 251, 128)]
    public void Products_by_a_kernel_answer_as_the_reference_does(string kind, long first, long second, int block)
    {
        var (model, inputs) = Layer(kind, [first, second]);
        if (kind == "Gemm")
            model.Graph.Nodes[0].SetInput(2, model.Graph.AddInitializer("c", Tensor.Of(Nets.Noise((int)first, 7), first)));
        var source = Open(model);
        var planned = Plan(source, $"weights-int4({block},nbits)");
        Assert.True(planned.Plan.ChangesArithmetic);
        var node = Assert.Single(planned.Model.Graph.Nodes);
        Assert.Equal("com.microsoft.MatMulNBits", node.QualifiedOpType);
        Assert.Equal(13, planned.Model.Opset);
        Assert.DoesNotContain(planned.Model.Graph.Initializers, i => i.Constant is { ElementType: ElementType.Float, Rank: 2 });
        using var original = OnnxRuntimeRunner.Unoptimized(model, 1);
        var (expected, reference) = (original.Run(inputs)["y"], new Interpreter(planned.Model).Run(inputs)["y"]);
        // In 8 bits by the kernel, and in floats as the reference is.
        foreach (var (level, most) in new[] { (4L, 1e-3), (1, 1e-10) })
        {
            node.Attributes["accuracy_level"] = level;
            using var runtime = new OnnxRuntimeRunner(_nets.Write(planned.Model));
            Assert.InRange(Noise(reference, runtime.Run(inputs)["y"]), 0, most);
        }
        Assert.InRange(Noise(expected, reference), 1e-5, 0.02);
        var tensors = new PlanTensors();
        var read = Compression.Planning.Plan.FromJson(planned.Plan.ToJson(_techniques, tensors), _techniques, tensors);
        node.Attributes["accuracy_level"] = 4L;
        Assert.Equal(OnnxWriter.ToBytes(planned.Model), OnnxWriter.ToBytes(new Compression.Planning.Pipeline(_techniques, source.Simplified!, null).Apply(read).Model));
    }

    [Fact]
    public void Blocks_of_zeros_and_of_one_value_and_of_one_sign_are_exact_or_near()
    {
        var layout = BlockLayout.Of([4, 64], 0, 1, 32);
        var rows = new float[4 * 64];
        rows.AsSpan(64, 64).Fill(0.25f);
        for (var i = 0; i < 64; i++)
            (rows[128 + i], rows[192 + i]) = (-1 - i / 32f, i % 2 == 0 ? 1e-20f : 3e20f);
        var blocks = BlockWeights.Nearest(layout, rows);
        Assert.False(blocks.HasHalfScales);
        var back = blocks.Rows();
        Assert.All(back[..64], static v => Assert.Equal(0, v));
        Assert.All(back[64..128], static v => Assert.Equal(0.25f, v, 1e-6f));
        Assert.All(Enumerable.Range(128, 64), i => Assert.InRange(back[i], rows[i] - 0.11f, rows[i] + 0.11f));
        Assert.All(Enumerable.Range(192, 64), i => Assert.InRange(back[i], rows[i] - 1e16f, rows[i] + 1e16f));
    }

    [Theory]
    [InlineData(1e-30f)]
    [InlineData(1e-6f)]
    [InlineData(1e30f)]
    public void Weights_of_any_magnitude_are_rounded(float magnitude)
    {
        var (model, _) = Layer("MatMul", [64, 16], weights: count => [.. Nets.Noise(count, 3).Select(v => v * magnitude)]);
        var layer = ((WeightsInt4Plan)Plan(Open(model), "weights-int4").Plan.Steps.Single().Plan).Layers.Single();
        Assert.InRange(layer.Error, 1e-4, 0.008);
        Assert.Equal(ElementType.Float, layer.Weights.Single().Scales.Value.ElementType);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_no_number_stays_in_float_and_is_named(float value)
    {
        var (model, _) = Layer("MatMul", [64, 16], weights: count => [.. Nets.Noise(count, 3)[1..], value]);
        var other = model.Graph.AddNode("MatMul", [model.Graph.Find("y"), model.Graph.AddInitializer("v", Tensor.Of(Nets.Noise(16 * 32, 6), 16, 32))], ["z"]);
        other.Output.Type = new(ElementType.Float, default);
        model.Graph.AddOutput(other.Output);
        var planned = Plan(Open(model), "weights-int4");
        var plan = (WeightsInt4Plan)planned.Plan.Steps.Single().Plan;
        Assert.Equal("z", Assert.Single(plan.Layers).Layer.Key);
        Assert.Contains("no finite numbers", plan.Kept["y"], StringComparison.Ordinal);
        Assert.Contains(planned.Model.Graph.Initializers, i => i.Constant is { ElementType: ElementType.Float, Length: 64 * 16 });
    }

    [Fact]
    public void Weights_that_layers_share_are_stored_once_and_struck_layers_keep_the_floats()
    {
        var (model, inputs) = Layer("MatMul", [48, 48]);
        var again = model.Graph.AddNode("MatMul", [model.Graph.Find("y"), model.Graph.Find("w")], ["z"]);
        again.Output.Type = new(ElementType.Float, default);
        model.Graph.AddOutput(again.Output);
        var source = Open(model);
        var planned = Plan(source, "weights-int4");
        Assert.Equal(2, ((WeightsInt4Plan)planned.Plan.Steps.Single().Plan).Layers.Count);
        Assert.Single(planned.Model.Graph.Initializers, i => i.Constant is { ElementType: ElementType.UInt4, Length: 48 * 48 });
        Assert.DoesNotContain(planned.Model.Graph.Initializers, i => i.Constant is { ElementType: ElementType.Float, Length: 48 * 48 });
        var pipeline = new Compression.Planning.Pipeline(_techniques, source.Simplified!, null);
        var left = pipeline.Apply(pipeline.Strike(planned.Plan, 0, "y")).Model;
        Assert.NotNull(left.Graph.Find("y")!.Producer!.Input(1)!.Constant);
        using var original = OnnxRuntimeRunner.Unoptimized(model, 1);
        using var struck = OnnxRuntimeRunner.Unoptimized(left, 1);
        var (expected, actual) = (original.Run(inputs), struck.Run(inputs));
        Assert.Equal(expected["y"].ToArray<float>(), actual["y"].ToArray<float>());
        Assert.InRange(Noise(expected["z"], actual["z"]), 1e-5, 0.02);
    }

    [Fact]
    public void Without_data_mixed_leaves_layers_in_8_bits_whose_weights_lose_more_than_usual()
    {
        // One weight in nineteen is up to five times the others.
        var (model, _) = Layer("MatMul", [64, 64], weights: count => [.. Nets.Noise(count, 3).Select((v, i) => i % 19 == 0 ? v * 5 : v)]);
        var other = model.Graph.AddNode("MatMul", [model.Graph.Find("y"), model.Graph.AddInitializer("v", Tensor.Of(Nets.Noise(64 * 32, 6), 64, 32))], ["z"]);
        model.Graph.RemoveOutput(model.Graph.Find("y")!);
        other.Output.Type = new(ElementType.Float, default);
        model.Graph.AddOutput(other.Output);
        var planned = Plan(Open(model), "weights-int4(mixed)");
        var plan = (WeightsInt4Plan)planned.Plan.Steps.Single().Plan;
        Assert.Equal([("y", 8), ("z", 4)], plan.Layers.Select(l => (l.Layer.Key, l.Bits)));
        Assert.StartsWith("8 bits: in 4 its weights would lose", plan.Kept["y"], StringComparison.Ordinal);
        Assert.Contains(planned.Model.Graph.Initializers, i => i.Constant is { ElementType: ElementType.Int8, Length: 64 * 64 });
    }

    [Theory]
    [InlineData("weights-int4(48)")]
    [InlineData("weights-int4(gptqq)")]
    [InlineData("weights-int4(mse)")]
    public void There_are_no_other_arguments(string recipe) =>
        Assert.Equal("MDLB0032", Assert.Throws<CompressionException>(() => _techniques.Check(Recipe.Parse(recipe))).Code);

    [SkippableTheory, Trait("Tier", "Ci")]
    [InlineData("autoencoder", "weights-int4(gptq,mixed)", 0.18)]
    [InlineData("kws_dscnn", "weights-int4(gptq,mixed)", 0.23)]
    [InlineData("cifar_resnet20", "weights-int4(gptq,mixed)", 0.18)]
    [InlineData("own_mnist_cnn_bn", "weights-int4(gptq)", 0.19)]
    [InlineData("own_mnist_lstm", "weights-int4(16,gptq,mixed)", 0.22)]
    // Opset 9, and initializers that are inputs; recurrent weights that slices lay out.
    [InlineData("ultraface", "weights-int4(64,mixed)", 0.3)]
    [InlineData("forecast_gru", "weights-int4(mixed)", 0.18)]
    // Weights that are 16-bit floats already.
    [InlineData("slovorez_fp16", "weights-int4(mixed)", 0.35)]
    public void Real_models_ship_in_4_bits_within_their_budget(string name, string recipe, double size)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var options = new CompressionOptions
        {
            Profiles = [Profile], CalibrationData = [zoo.Calibration], EvaluationData = [zoo.Evaluation], Measure = false, Technique = recipe,
            MetricOutputs = zoo.MetricOutputs, Optimize = Objective.Size,
        };
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        using var compressor = new Compressor(source, options, ["onnxruntime"], new byte[32], _techniques, _ => { }, default);
        var chosen = compressor.Choose(Profile).Chosen;
        var candidate = chosen.Candidate;
        Assert.Equal(recipe, candidate.Recipe);
        Assert.InRange(candidate.Report!.Deciding.Loss, -1, compressor.Selection!.Budget);
        var ratio = candidate.Artifact.Length / (double)source.Artifact.Length;
        var layers = candidate.Plan!.Changes.Select(c => c.Change).ToList();
        output.WriteLine($"{name} {recipe}: {ratio:0.000} of the size, {candidate.Report.Deciding.Metric} loss {candidate.Report.Deciding.Loss:0.00000}, "
            + $"{layers.Count(l => l.Bits == 4)} layers in 4 bits, {layers.Count(l => l.Bits == 8)} in 8");
        Assert.InRange(ratio, 0.05, size);
        // Compressed it is: another file, in which integers of 4 bits outweigh all else.
        Assert.NotEqual(source.Artifact.Sha256, candidate.Artifact.Sha256);
        var constants = candidate.Model!.Graphs.SelectMany(g => g.Initializers).Select(i => i.Constant!).ToList();
        Assert.InRange(constants.Where(c => c.ElementType == ElementType.UInt4).Sum(c => c.Length), constants.Sum(c => c.Length) / 2, long.MaxValue);
        // It runs as the float original does: nothing is unpacked in a call.
        Assert.InRange(chosen.LatencyRatio, 0.4, 1.02);
        Assert.Empty(OptimizedGraph.Of(candidate.Artifact.Path).DequantizedConstants);
        // Applied without data, in a new process, it gives the same bytes.
        using var folder = new TemporaryFolder();
        var (plan, file, tensors) = (folder.File("plan.json"), folder.File("plan.tensors"), new PlanTensors());
        File.WriteAllText(plan, candidate.Plan.ToJson(_techniques, tensors));
        File.WriteAllBytes(file, tensors.ToBytes());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(candidate.Model))), ApplyInChild.Run(zoo.Model, plan, file));
    }

    [SkippableFact, Trait("Tier", "Ci")]
    public void The_smaller_the_budget_the_more_layers_have_more_bits()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open("cifar_resnet20");
        var counts = new List<int>();
        foreach (var budget in new[] { 0.05, 0.003, 0.0008 })
        {
            var outcome = Nets.Compress(zoo.Model, zoo.Calibration, "weights-int4(gptq,mixed)", o => o with
            {
                EvaluationData = [zoo.Evaluation], Metric = "sqnr", MaxAccuracyLoss = budget, Optimize = Objective.Size,
            });
            var candidate = outcome.Candidates.First(c => c.Candidate.Plan is { Steps.Count: 1 }).Candidate;
            var plan = (WeightsInt4Plan)candidate.Plan!.Steps.Single().Plan;
            counts.Add(plan.Layers.Count(l => l.Bits > 4));
            Assert.Equal(plan.Layers.Where(l => l.Bits > 4).Select(l => l.Layer.Key).Order(StringComparer.Ordinal), plan.Kept.Keys);
            Assert.InRange(candidate.Choose!.Deciding.Loss, 0, budget * 1.5);
        }
        output.WriteLine(string.Join(", ", counts));
        Assert.Equal(counts.Order(), counts);
        Assert.True(counts[0] < counts[2]);
    }

    [SkippableFact, Trait("Tier", "Ci")]
    public void Rounding_by_second_moments_is_nearer_to_the_original_on_other_data()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open("cifar_resnet20");
        double Loss(string recipe) => Nets.Compress(zoo.Model, zoo.Calibration, recipe, o => o with
        {
            EvaluationData = [zoo.Evaluation], Metric = "sqnr", MaxAccuracyLoss = 1, Optimize = Objective.Size,
        }).Chosen.Candidate.Report!.Deciding.Loss;
        var (nearest, fitted) = (Loss("weights-int4"), Loss("weights-int4(gptq)"));
        output.WriteLine($"{nearest:0.0000} rounded to the nearest, {fitted:0.0000} by second moments");
        Assert.True(fitted < 0.5 * nearest, $"{fitted} against {nearest}");
    }
}
