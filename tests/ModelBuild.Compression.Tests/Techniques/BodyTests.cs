using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Techniques reach the bodies of If, Loop and Scan, nested ones too; ranges there are those of the values that came by.</summary>
public sealed class BodyTests : IDisposable
{
    // So many that ranges are those of the values seen.
    private const int Samples = 400, Width = 16, Turns = 3;

    private readonly Nets _nets = new();
    private readonly TechniqueRegistry _techniques = new();

    public void Dispose() => _nets.Dispose();

    private static readonly HardwareProfile Profile = BuiltInProfiles.Get("x64-avx512vnni");

    private static float[] Weights(int seed) => Nets.Noise(Width * Width, seed);

    private static Value Layer(Graph graph, Value x, int seed, string name) =>
        graph.AddNode("Relu", [graph.AddNode("MatMul", [x, graph.AddInitializer(name + ".w", Tensor.Of(Weights(seed), Width, Width))], [name]).Output],
            [name + ".r"]).Output;

    /// <summary>x [n, 16] → y [n, 16], through one body: two layers in each branch, or in each turn.</summary>
    private string Net(string kind)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new(ElementType.Float, [Dimension.Named("n"), Width]));
        var owner = Owner(graph, x, kind);
        var y = graph.AddNode("Identity", [owner], ["y"]).Output;
        y.Type = new(ElementType.Float, [Dimension.Named("n"), Width]);
        graph.AddOutput(y);
        return _nets.Write(model);
    }

    private static Value Owner(Graph graph, Value x, string kind)
    {
        if (kind is "If" or "nested")
        {
            // Which branch it is depends on the first number.
            var first = graph.AddNode("ReduceMax", [x], ["largest"]);
            first.Attributes["keepdims"] = 0L;
            var choice = graph.AddNode("If", [graph.AddNode("Greater", [first.Output, graph.AddInitializer("two", Tensor.Scalar(2f))], ["is"]).Output],
                ["chosen"]);
            foreach (var (branch, seed) in new[] { ("then_branch", 1), ("else_branch", 3) })
            {
                var body = new Graph(graph.Model, graph) { Name = branch };
                choice.Attributes[branch] = body;
                var given = Layer(body, x, seed, "h");
                body.AddOutput(kind == "nested" && branch == "else_branch" ? Owner(body, given, "Loop") : Layer(body, given, seed + 1, "g"));
            }
            return choice.Output;
        }
        var step = new Graph(graph.Model, graph) { Name = "step" };
        if (kind == "Loop")
        {
            step.AddInput("turn", TensorType.Of(ElementType.Int64));
            var on = step.AddInput("on", TensorType.Of(ElementType.Bool));
            var state = step.AddInput("state", new(ElementType.Float, [Dimension.Unknown, Width]));
            step.AddOutput(step.AddNode("Identity", [on], ["still"]).Output);
            step.AddOutput(Layer(step, Layer(step, state, 5, "h"), 6, "g"));
            var loop = graph.AddNode("Loop", [graph.AddInitializer("turns", Tensor.Scalar((long)Turns)), graph.AddInitializer("go", Tensor.Scalar(true)), x],
                ["looped"]);
            loop.Attributes["body"] = step;
            return loop.Output;
        }
        // Scan over copies of x.
        var axis = graph.AddInitializer("axis", Tensor.Vector(0L));
        var once = graph.AddNode("Unsqueeze", [x, axis], ["once"]).Output;
        var all = graph.AddNode("Concat", [once, once, once], ["all"]);
        all.Attributes["axis"] = 0L;
        var sum = step.AddInput("sum", new(ElementType.Float, [Dimension.Unknown, Width]));
        var one = step.AddInput("one", new(ElementType.Float, [Dimension.Unknown, Width]));
        step.AddOutput(Layer(step, Layer(step, step.AddNode("Add", [sum, one], ["both"]).Output, 5, "h"), 6, "g"));
        var scan = graph.AddNode("Scan", [x, all.Output], ["scanned"]);
        scan.Attributes["body"] = step;
        scan.Attributes["num_scan_inputs"] = 1L;
        return scan.Output;
    }

    private static float[] Data(bool large)
    {
        var x = Nets.Noise(Samples * Width, 9);
        // Every second sample has a number beyond 2, or none has.
        for (var s = 0; large && s < Samples; s += 2)
            x[s * Width] = 3;
        return x;
    }

    private (Planned Planned, ModelSource Source) Plan(string kind, string recipe, bool large = true)
    {
        var source = ModelSource.Open(Net(kind), new Dictionary<string, long>());
        var data = DataLoader.Open([_nets.Data(("x", Tensor.Of(Data(large), Samples, 1, Width)))], source.Interface, new(), "CalibrationData")!;
        Compression.Planning.Pipeline pipeline = new(_techniques, source.Simplified!, (model, _, paths) => Calibrator.Run(model, data, paths, 1));
        return (pipeline.TryPlan(Recipe.Parse(recipe), Profile, new OnnxRuntimeCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>()))!, source);
    }

    [Theory]
    [InlineData("If", "int8", 4)]
    [InlineData("If", "dynamic-int8", 4)]
    [InlineData("If", "weights-int8", 4)]
    [InlineData("If", "weights-float16", 4)]
    [InlineData("If", "weights-int4", 4)]
    [InlineData("Loop", "int8", 2)]
    [InlineData("Loop", "dynamic-int8", 2)]
    [InlineData("Loop", "weights-int8", 2)]
    [InlineData("Loop", "weights-int4(mixed)", 2)]
    [InlineData("Scan", "int8", 2)]
    [InlineData("Scan", "weights-float16", 2)]
    [InlineData("Scan", "weights-int4", 2)]
    [InlineData("nested", "weights-int4", 5)]
    [InlineData("nested", "int8", 5)]
    [InlineData("nested", "dynamic-int8", 5)]
    public void Layers_of_bodies_are_compressed_and_answer_alike(string kind, string recipe, int layers)
    {
        var (planned, source) = Plan(kind, recipe);
        Assert.Equal(layers, planned.Plan.Changes.Count(c => c.Change.Bits is not null));
        // The integers are in the file, and the floats are gone.
        var weights = planned.Model.Graphs.SelectMany(g => g.Initializers).Where(i => i.Constant is { Rank: 2 }).ToList();
        Assert.All(weights, w => Assert.Equal(recipe == "weights-float16" ? ElementType.Float16
            : recipe.StartsWith("weights-int4", StringComparison.Ordinal) ? ElementType.UInt4 : ElementType.Int8, w.Constant!.ElementType));
        Assert.Equal(layers, weights.Count);
        var x = Data(true);
        using var original = OnnxRuntimeRunner.Unoptimized(source.Original, 1);
        using var compressed = new OnnxRuntimeRunner(Written(planned.Model));
        var (noise, signal) = (0.0, 0.0);
        for (var s = 0; s < 20; s++)
        {
            var input = new Dictionary<string, Tensor> { ["x"] = Tensor.Of(x[(s * Width)..((s + 1) * Width)], 1, Width) };
            var (expected, actual) = (original.Run(input)["y"].ToArray<float>(), compressed.Run(input)["y"].ToArray<float>());
            noise += expected.Zip(actual, (a, b) => (double)(a - b) * (a - b)).Sum();
            signal += expected.Sum(a => (double)a * a);
        }
        Assert.True(noise < signal * (recipe.StartsWith("weights-int4", StringComparison.Ordinal) ? 0.05 : 0.01) && (noise > 0 || recipe == "weights-float16"), $"{noise / signal}");
        // Read back and applied without data: the same bytes.
        var read = Compression.Planning.Plan.FromJson(planned.Plan.ToJson(_techniques), _techniques);
        Assert.Equal(OnnxWriter.ToBytes(planned.Model),
            OnnxWriter.ToBytes(new Compression.Planning.Pipeline(_techniques, source.Simplified!, null).Apply(read).Model));
    }

    private string Written(Model model) => _nets.Write(model);

    [Theory]
    [InlineData("If")]
    [InlineData("Loop")]
    [InlineData("Scan")]
    public void Ranges_in_bodies_are_those_of_the_values_that_came_by(string kind)
    {
        var (planned, _) = Plan(kind, "int8(minmax)");
        var tensors = ((StaticInt8Plan)planned.Plan.Steps[0].Plan).Tensors;
        var x = Data(true);
        foreach (var (path, body) in kind == "If" ? [("y/then_branch/h.r", "then"), ("y/else_branch/h.r", "else")] : new[] { ("y/body/h.r", kind) })
        {
            var largest = 0.0;
            for (var s = 0; s < Samples; s++)
            {
                var row = x[(s * Width)..((s + 1) * Width)].Select(v => (double)v).ToArray();
                if (body is "then" or "else")
                {
                    if (row.Max() > 2 == (body == "then"))
                        largest = Math.Max(largest, Relu(row, body == "then" ? 1 : 3).Max());
                    continue;
                }
                var state = row;
                for (var t = 0; t < Turns; t++)
                {
                    var hidden = Relu(body == "Scan" ? [.. state.Zip(row, (a, b) => a + b)] : state, 5);
                    largest = Math.Max(largest, hidden.Max());
                    state = Relu(hidden, 6);
                }
            }
            Assert.Equal(largest, tensors[path].Scale * 255.0, largest * 1e-4);
        }

        static double[] Relu(double[] x, int seed)
        {
            var w = Weights(seed);
            return [.. Enumerable.Range(0, Width).Select(c => Math.Max(0, Enumerable.Range(0, Width).Sum(i => x[i] * w[i * Width + c])))];
        }
    }

    [Fact]
    public void A_branch_that_no_sample_takes_stays_in_float_and_the_plan_says_so()
    {
        var plan = (StaticInt8Plan)Plan("If", "int8", large: false).Planned.Plan.Steps[0].Plan;
        Assert.Equal(["y/else_branch/h", "y/else_branch/g"], plan.Layers.Where(l => l.WeightLimit is not null).Select(l => l.Layer.Key));
        Assert.Equal(["y/then_branch/g", "y/then_branch/h"], plan.Kept.Keys);
        Assert.All(plan.Kept.Values, why => Assert.Contains("no sample", why, StringComparison.Ordinal));
    }
}
