using System.Security.Cryptography;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Pruning, int8 on what it leaves, and biases corrected layer by layer, in the branches of an If.</summary>
public sealed class BranchRepairTests : IDisposable
{
    private const int Samples = 96, Channels = 8, Side = 10;

    private static readonly HardwareProfile Profile = BuiltInProfiles.Get("x64-avx512vnni");

    private static readonly OnnxRuntimeCosts Costs = new(CostTable.Load("avx512vnni"), new Dictionary<string, long>());

    private readonly Nets _nets = new();
    private readonly TechniqueRegistry _techniques = ApplyInChild.Techniques();

    public void Dispose() => _nets.Dispose();

    private static Value Conv(Graph graph, Value x, string name, int seed)
    {
        var inputs = name == "stem" ? 3 : Channels;
        var node = graph.AddNode("Conv", [x, graph.AddInitializer(name + ".w", Tensor.Of(Nets.Noise(Channels * inputs * 9, seed), Channels, inputs, 3, 3)),
            graph.AddInitializer(name + ".b", Tensor.Of(Nets.Noise(Channels, seed + 100), Channels))], [name]);
        node.Attributes["pads"] = new long[] { 1, 1, 1, 1 };
        return node.Output;
    }

    private static Value Relu(Value x) => x.Graph.AddNode("Relu", [x], [x.Name + ".r"]).Output;

    /// <summary>x [1, 3, 10, 10] → y [1, 8, 10, 10]: a convolution, then three of the branch that the largest number chooses; in one branch the last of them
    /// stands in a branch of its own.</summary>
    private string Net()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 3, Side, Side));
        var stem = Relu(Conv(graph, x, "stem", 1));
        var largest = graph.AddNode("ReduceMax", [x], ["largest"]);
        largest.Attributes["keepdims"] = 0L;
        Value Beyond(float bound) => graph.AddNode("Greater", [largest.Output, graph.AddInitializer("bound", Tensor.Scalar(bound))], ["beyond"]).Output;
        var (beyond, far) = (Beyond(2), Beyond(4));
        var choice = graph.AddNode("If", [beyond], ["chosen"]);
        foreach (var (branch, seed) in new[] { ("then_branch", 2), ("else_branch", 5) })
        {
            var body = new Graph(model, graph) { Name = branch };
            choice.Attributes[branch] = body;
            var two = Relu(Conv(body, Relu(Conv(body, stem, "a", seed)), "b", seed + 1));
            if (branch == "else_branch")
            {
                body.AddOutput(Conv(body, two, "c", seed + 2));
                continue;
            }
            var inner = body.AddNode("If", [far], ["inner"]);
            foreach (var (name, last) in new[] { ("then_branch", 20), ("else_branch", 22) })
            {
                var within = new Graph(model, body) { Name = name };
                inner.Attributes[name] = within;
                within.AddOutput(Conv(within, Relu(Conv(within, two, "d", last)), "e", last + 1));
            }
            body.AddOutput(inner.Output);
        }
        var y = graph.AddNode("Identity", [choice.Output], ["y"]).Output;
        y.Type = TensorType.Of(ElementType.Float, 1, Channels, Side, Side);
        graph.AddOutput(y);
        return _nets.Write(model);
    }

    /// <summary>A third of the samples takes each way.</summary>
    private static ListDataset Data(int seed) => new([.. Enumerable.Range(0, Samples).Select(i =>
    {
        var x = Nets.Noise(3 * Side * Side, seed + i);
        x[0] = 1 + 2 * (i % 3);
        return new Dictionary<string, Tensor> { ["x"] = Tensor.Of(x, 1, 3, Side, Side) };
    })]);

    private (Compression.Planning.Pipeline Pipeline, ModelSource Source, Dataset Data, string File) Open()
    {
        var (file, data) = (Net(), Data(1000));
        var source = ModelSource.Open(file, new Dictionary<string, long>());
        return (new(_techniques, source.Simplified!, (model, _, paths) => Calibrator.Run(model, data, paths, 1), layers: new(data, new())), source, data, file);
    }

    private static readonly string[] Layers =
    [
        "stem", "y/then_branch/a", "y/then_branch/b", "y/then_branch/inner/then_branch/d", "y/then_branch/inner/then_branch/e",
        "y/then_branch/inner/else_branch/d", "y/then_branch/inner/else_branch/e", "y/else_branch/a", "y/else_branch/b", "y/else_branch/c",
    ];

    [Fact]
    public void Plan_and_tensors_give_the_same_bytes_in_a_new_process_without_data()
    {
        var (pipeline, _, _, model) = Open();
        var planned = pipeline.TryPlan(Recipe.Parse("test-prune+int8+bias-mean"), Profile, Costs)!;
        Assert.Equal(["y/then_branch/a", "y/then_branch/inner/then_branch/d", "y/then_branch/inner/else_branch/d", "y/else_branch/a", "y/else_branch/b"],
            ((TestPrunePlan)planned.Plan.Steps[0].Plan).Groups.Select(g => g.Layer.Key).OrderBy(k => Array.IndexOf(Layers, k)));
        Assert.Equal(Layers, ((StaticInt8Plan)planned.Plan.Steps[1].Plan).Layers.Where(l => l.WeightLimit is not null).Select(l => l.Layer.Key)
            .OrderBy(k => Array.IndexOf(Layers, k)));
        Assert.Equal(Layers.Length, ((BiasMeanPlan)planned.Plan.Steps[2].Plan).Biases.Count);
        var tensors = new PlanTensors();
        var (plan, file) = (_nets.Folder.File("plan.json"), _nets.Folder.File("plan.tensors"));
        File.WriteAllText(plan, planned.Plan.ToJson(_techniques, tensors));
        File.WriteAllBytes(file, tensors.ToBytes());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(planned.Model))), ApplyInChild.Run(model, plan, file));
    }

    [Fact]
    public void Ranges_are_those_of_the_pruned_branch()
    {
        var (pipeline, _, data, _) = Open();
        var pruned = pipeline.TryPlan(Recipe.Parse("test-prune"), Profile, Costs)!.Model;
        var tensors = ((StaticInt8Plan)pipeline.TryPlan(Recipe.Parse("test-prune+int8(minmax)"), Profile, Costs)!.Plan.Steps[1].Plan).Tensors;
        var others = ((StaticInt8Plan)pipeline.TryPlan(Recipe.Parse("int8(minmax)"), Profile, Costs)!.Plan.Steps[0].Plan).Tensors;
        var different = 0;
        // Seen here without the calibrator: the branches of the pruned model written out, in plain loops.
        foreach (var (path, way, names) in new (string, int, string[])[]
        {
            ("y/then_branch/a.r", 1, ["stem", "a"]), ("y/then_branch/b.r", 1, ["stem", "a", "b"]), ("y/else_branch/b.r", 0, ["stem", "a", "b"]),
            ("y/then_branch/inner/then_branch/d.r", 2, ["stem", "a", "b", "d"]), ("y/then_branch/inner/else_branch/d.r", 1, ["stem", "a", "b", "d"]),
        })
        {
            var highest = 0f;
            for (var i = 0; i < Samples; i++)
            {
                // The outer branch is taken by both of its ways.
                if (i % 3 != way && !(way == 1 && i % 3 == 2 && names[^1] != "d"))
                    continue;
                var x = data[i].Inputs["x"];
                foreach (var name in names)
                    x = Apply(Layer(pruned, name, i % 3), x);
                highest = Math.Max(highest, x.ToArray<float>().Max());
            }
            Assert.Equal(highest / 255.0, tensors[path].Scale, tensors[path].Scale * 1e-4);
            different += Math.Abs(others[path].Scale - tensors[path].Scale) > 0.001 * others[path].Scale ? 1 : 0;
        }
        // The pruned ones' own consumers differ; what is left of a pruned layer itself may have kept its largest value.
        Assert.InRange(different, 2, 5);
    }

    private static Node Layer(Model model, string name, int way)
    {
        var path = name is "stem" ? name : way == 0 ? $"y/else_branch/{name}" : name is "a" or "b" ? $"y/then_branch/{name}"
            : $"y/then_branch/inner/{(way == 2 ? "then" : "else")}_branch/{name}";
        return model.Nodes.Single(n => n.Key == path);
    }

    /// <summary>A convolution of 3x3 with padding, and Relu.</summary>
    private static Tensor Apply(Node conv, Tensor x)
    {
        var (weights, bias) = (conv.Inputs[1]!.Constant!, conv.Inputs[2]!.Constant!.ToArray<float>());
        var (outputs, inputs, w, v) = ((int)weights.Shape[0], (int)weights.Shape[1], weights.ToArray<float>(), x.ToArray<float>());
        var y = new float[outputs * Side * Side];
        for (var o = 0; o < outputs; o++)
            for (var r = 0; r < Side; r++)
                for (var c = 0; c < Side; c++)
                {
                    double sum = bias[o];
                    for (var i = 0; i < inputs; i++)
                        for (var k = 0; k < 9; k++)
                            if (r + k / 3 - 1 is >= 0 and < Side and var row && c + k % 3 - 1 is >= 0 and < Side and var column)
                                sum += (double)w[(o * inputs + i) * 9 + k] * v[(i * Side + row) * Side + column];
                    y[(o * Side + r) * Side + c] = (float)Math.Max(0, sum);
                }
        return Tensor.Of(y, 1, outputs, Side, Side);
    }

    [Fact]
    public void Corrected_biases_leave_no_mean_error_on_any_way_through_the_branches()
    {
        var (pipeline, source, data, _) = Open();
        var (before, after) = (pipeline.TryPlan(Recipe.Parse("test-prune+int8"), Profile, Costs)!.Model,
            pipeline.TryPlan(Recipe.Parse("test-prune+int8+bias-mean"), Profile, Costs)!.Model);
        for (var way = 0; way < 3; way++)
        {
            var (uncorrected, corrected) = (Means(source.Simplified!, before, data, way), Means(source.Simplified!, after, data, way));
            // What the last layer lacks is made up for, but for what its integers round.
            Assert.True(corrected < 0.01 * uncorrected, $"{corrected} of {uncorrected} on way {way}");
        }
    }

    /// <summary>The power of the mean errors of the outputs' channels on one way.</summary>
    private static double Means(Model reference, Model model, Dataset data, int way)
    {
        using var there = OnnxRuntimeRunner.Unoptimized(reference, 1);
        using var here = OnnxRuntimeRunner.Unoptimized(model, 1);
        var means = new ChannelMeans(1);
        for (var i = way; i < Samples; i += 3)
            means.Add(there.Run(data[i].Inputs)["y"], here.Run(data[i].Inputs)["y"]);
        return means.Means.Sum(m => m * m);
    }
}
