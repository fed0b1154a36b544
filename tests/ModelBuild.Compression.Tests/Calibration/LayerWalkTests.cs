using System.Collections.Immutable;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Compression.Tests.Calibration;

/// <summary>At each layer stands what whole runs of the two models give there.</summary>
public sealed class LayerWalkTests
{
    private static readonly string[] Layers = ["c1", "c2", "c3", "y"];

    /// <summary>Pictures of any size, two of each number of pixels a side from 5 on.</summary>
    private static ListDataset Data(int count) => new([.. Enumerable.Range(0, count).Select(i => new Dictionary<string, Tensor>
    {
        ["x"] = Tensor.Of(Nets.Noise((5 + i / 2) * (6 + i) * 2, 70 + i), 1, 2, 5 + i / 2, 6 + i),
    })]);

    /// <summary>Three convolutions, the last of which reads the sum of the others; a branch by value over a captured sum; a Gemm.</summary>
    private static Model Net(float strength)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Of(1), Dimension.Of(2), Dimension.Named("h"), Dimension.Named("w")]));
        Value Conv(Value from, string name, int channels, int seed)
        {
            var node = graph.AddNode("Conv", [from, graph.AddInitializer(name + "_w",
                Tensor.Of([.. Nets.Noise(channels * 4 * 9, seed).Select(v => v * strength)], 4, channels, 3, 3)),
                graph.AddInitializer(name + "_b", Tensor.Of(Nets.Noise(4, seed + 1), 4))], [name]);
            node.Attributes["pads"] = new long[] { 1, 1, 1, 1 };
            return node.Output;
        }

        var c1 = graph.AddNode("Relu", [Conv(x, "c1", 2, 1)], ["r1"]).Output;
        var c2 = graph.AddNode("Relu", [Conv(c1, "c2", 4, 3)], ["r2"]).Output;
        var sum = graph.AddNode("Add", [c1, c2], ["sum"]).Output;
        var total = graph.AddNode("ReduceSum", [sum], ["total"]);
        total.Attributes["keepdims"] = 0L;
        var positive = graph.AddNode("Greater", [total.Output, graph.AddInitializer("zero", Tensor.Scalar(0f))], ["positive"]).Output;
        var branch = graph.AddNode("If", [positive], ["chosen"]);
        foreach (var (name, op) in new[] { ("then_branch", "Neg"), ("else_branch", "Abs") })
        {
            var body = new Graph(model, graph) { Name = name };
            body.AddOutput(body.AddNode(op, [sum], [op]).Output);
            branch.Attributes[name] = body;
        }
        var pooled = graph.AddNode("GlobalAveragePool", [Conv(branch.Output, "c3", 4, 5)], ["pooled"]).Output;
        var y = graph.AddNode("Gemm", [graph.AddNode("Flatten", [pooled], ["flat"]).Output, graph.AddInitializer("y_w", Tensor.Of(Nets.Noise(12, 8), 4, 3)),
            graph.AddInitializer("y_b", Tensor.Of(Nets.Noise(3, 9), 3))], ["y"]);
        graph.AddOutput(y.Output);
        ShapeInference.Run(model);
        return model;
    }

    private static Dictionary<string, Tensor> Whole(Model model, Dataset data, int sample, params string[] names)
    {
        var copy = model.Clone();
        foreach (var name in names)
            if (copy.Graph.Find(name) is { IsGraphOutput: false } value)
                copy.Graph.AddOutput(value);
        using var runner = OnnxRuntimeRunner.Unoptimized(copy, 1);
        return new(runner.Run(data[sample].Inputs));
    }

    private static void AssertEqual(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        foreach (var (e, a) in expected.ToArray<float>().Zip(actual.ToArray<float>()))
            Assert.Equal(e, a, 1e-4f * (1 + Math.Abs(e)));
    }

    private static List<LayerTarget> Targets => [.. Layers.Reverse().Select(l => new LayerTarget(l, new(l)))];

    [Theory]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(0, long.MaxValue)]
    [InlineData(7000, long.MaxValue)]
    public void Each_layer_sees_what_whole_runs_give_wherever_it_is_kept(long memory, long disk)
    {
        var (original, changed, data) = (Net(1), Net(0.9f), Data(7));
        var seen = new List<string>();
        var result = LayerWalk.Run(original, changed, data, Targets, visit =>
        {
            seen.Add(visit.Node.Key);
            Assert.Equal(7, visit.Samples);
            var samples = new List<int>();
            // Pairs may be read more than once.
            _ = visit.Pairs().Count();
            foreach (var pair in visit.Pairs())
            {
                samples.Add(pair.Sample);
                var (there, here) = (Whole(original, data, pair.Sample, visit.Node.Key),
                    Whole(changed, data, pair.Sample, visit.Node.Key, visit.Node.Inputs[0]!.Name));
                AssertEqual(there[visit.Node.Key], pair.Target);
                AssertEqual(here[visit.Node.Key], pair.Output);
                AssertEqual(here.GetValueOrDefault(visit.Node.Inputs[0]!.Name) ?? data[pair.Sample].Inputs["x"], pair.Inputs[0]!);
                Assert.Null(pair.Inputs[1]);
            }
            Assert.Equal(Enumerable.Range(0, 7), samples.Order());
        }, new() { MemoryBound = memory, DiskBound = disk });
        Assert.Equal(Layers, seen);
        Assert.Equal(7, result.Samples);
        Assert.InRange(result.PeakMemory, memory > 0 ? 1 : 0, memory);
        Assert.Equal(memory < long.MaxValue, result.PeakDisk > 0);
        Assert.Equal(OnnxWriter.ToBytes(changed), OnnxWriter.ToBytes(result.Changed));
    }

    [Fact]
    public void Later_layers_read_what_repaired_ones_give()
    {
        var (original, changed, data) = (Net(1), Net(0.9f), Data(3));
        var before = OnnxWriter.ToBytes(changed);
        Model? soFar = null;
        var result = LayerWalk.Run(original, changed, data, Targets, visit =>
        {
            soFar = visit.Node.Graph.Model;
            var input = visit.Node.Inputs[0]!.Name;
            foreach (var pair in visit.Pairs())
                if (input != "x")
                    AssertEqual(Whole(soFar, data, pair.Sample, input)[input], pair.Inputs[0]!);
            Tensor First() => visit.Pairs().Select(p => p.Output).First();
            var old = First();
            var bias = visit.Node.Inputs[2]!.Constant!.ToArray<float>();
            visit.Node.SetInput(2, visit.Node.Graph.AddInitializer("repaired", Tensor.Of([.. bias.Select(b => b + 0.5f)], bias.Length)));
            AssertEqual(Tensor.Of([.. old.ToArray<float>().Select(v => v + 0.5f)], old.Shape.AsSpan()), First());
            Assert.Throws<ObjectDisposedException>(() => visit.Pairs().First().Output);
        });
        Assert.Same(soFar, result.Changed);
        Assert.Equal(before, OnnxWriter.ToBytes(changed));
        Assert.NotEqual(before, OnnxWriter.ToBytes(result.Changed));
    }

    [Fact]
    public void Beyond_both_bounds_fewer_samples_are_used_and_that_is_told()
    {
        var (original, changed, data) = (Net(1), Net(0.9f), Data(20));
        var counts = new List<int>();
        var used = new List<int>();
        LayerWalkResult Run(long memory, long disk)
        {
            counts.Clear();
            return LayerWalk.Run(original, changed, data, Targets, visit =>
            {
                counts.Add(visit.Samples);
                used = [.. visit.Pairs().Select(p => p.Sample)];
                Assert.Equal(visit.Samples, used.Count);
            }, new() { MemoryBound = memory, DiskBound = disk });
        }

        var all = Run(long.MaxValue, 0);
        var half = Run(all.PeakMemory / 4, all.PeakMemory / 4);
        Assert.InRange(half.Samples, 4, 16);
        Assert.Equal(half.Samples, counts[^1]);
        Assert.Equal(counts.OrderDescending(), counts);
        Assert.InRange(half.PeakMemory, 1, all.PeakMemory / 4);
        Assert.InRange(half.PeakDisk, 1, all.PeakMemory / 4);
        // From all over the data, not from its beginning alone.
        Assert.InRange(used.Max(), 10, 19);
        Assert.Equal(1, Run(0, 0).Samples);
    }

    [Fact]
    public void Of_a_target_only_the_indices_are_left_that_the_layer_has()
    {
        var (original, data) = (Net(1), Data(2));
        int[] kept = [3, 1];
        var target = new Provenance("c1") { Kept = ImmutableSortedDictionary<int, ImmutableArray<int>>.Empty.Add(1, [.. kept]) };
        LayerWalk.Run(original, original, data, [new("c2", target)], visit =>
        {
            foreach (var pair in visit.Pairs())
            {
                var whole = Whole(original, data, pair.Sample, "c1")["c1"];
                var (plane, values) = ((int)(whole.Shape[2] * whole.Shape[3]), whole.ToArray<float>());
                AssertEqual(Tensor.Of([.. kept.SelectMany(k => values[(k * plane)..((k + 1) * plane)])], 1, 2, whole.Shape[2], whole.Shape[3]), pair.Target);
            }
        });
    }

    [Theory]
    [InlineData("nowhere", "c1")]
    [InlineData("c1", "nowhere")]
    [InlineData("c1", "c1_w")]
    public void What_is_no_layer_or_no_activation_is_refused(string layer, string target) =>
        Assert.Throws<ArgumentException>(() => LayerWalk.Run(Net(1), Net(1), Data(1), [new(layer, new(target))], _ => { }));

    // Trees have no layers.
    public static TheoryData<string> Models => [.. ZooModel.All.Where(m => m != "digits_forest")];

    [SkippableTheory, MemberData(nameof(Models)), Trait("Tier", "Ci")]
    public void Real_models_are_walked_whatever_they_hold(string name)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var model = source.Simplified!;
        var all = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
        var data = all.Subset([0, all.Count - 1]);
        var layers = model.Graph.Nodes.Where(n => n.OpType is "Conv" or "ConvTranspose" or "Gemm" or "MatMul" or "LSTM" or "GRU" or "If" or "Loop"
            && Graph.Dependencies(n).Any(v => v.Constant is null && (v.Producer is not null || v.IsGraphInput))).ToList();
        Assert.NotEmpty(layers);
        var whole = Enumerable.Range(0, 2).Select(i => Whole(model, data, i, [.. layers.Select(l => l.Key)])).ToList();
        var seen = 0;
        LayerWalk.Run(model, model, data, [.. layers.Select(l => new LayerTarget(l.Key, new(l.Key)))], visit =>
        {
            foreach (var pair in visit.Pairs())
                foreach (var actual in new[] { pair.Target, pair.Output })
                {
                    var expected = whole[pair.Sample][visit.Node.Key];
                    if (expected.ElementType == ElementType.Float)
                        AssertEqual(expected, actual);
                    seen++;
                }
        }, new() { MemoryBound = 1 << 20 });
        Assert.Equal(4 * layers.Count, seen);
    }
}
