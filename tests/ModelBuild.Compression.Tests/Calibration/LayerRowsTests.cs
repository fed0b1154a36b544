using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Calibration;

/// <summary>Rows times weights are what ONNX Runtime computes.</summary>
public sealed class LayerRowsTests
{
    public static TheoryData<string> Layers => ["conv", "strides", "dilations", "groups", "depthwise", "same-upper", "same-lower", "valid", "one-axis",
        "three-axes", "gemm", "gemm-transposed", "matmul"];

    private static (Node Node, Tensor Input) Layer(string name)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        Node Made(string op, long[] input, long[] weights, params (string Name, AttributeValue Value)[] attributes)
        {
            var x = graph.AddInput("x", new TensorType(ElementType.Float, [.. input.Select((_, i) => Dimension.Named($"d{i}"))]));
            var node = graph.AddNode(op, [x, graph.AddInitializer("w", Tensor.Of(Nets.Noise((int)Tensor.Count(weights), 4), weights))], ["y"]);
            foreach (var (key, value) in attributes)
                node.Attributes[key] = value;
            graph.AddOutput(node.Output);
            return node;
        }

        (Node, Tensor) With(long[] shape, Func<long[], Node> made) => (made(shape), Tensor.Of(Nets.Noise((int)Tensor.Count(shape), 5), shape));
        AttributeValue Numbers(params long[] values) => values;
        return name switch
        {
            "conv" => With([2, 3, 7, 6], s => Made("Conv", s, [4, 3, 3, 2], ("pads", Numbers(1, 0, 2, 1)))),
            "strides" => With([1, 3, 9, 8], s => Made("Conv", s, [4, 3, 3, 3], ("strides", Numbers(2, 3)), ("pads", Numbers(1, 1, 1, 1)))),
            "dilations" => With([1, 2, 9, 9], s => Made("Conv", s, [3, 2, 3, 3], ("dilations", Numbers(2, 3)), ("pads", Numbers(2, 3, 2, 3)))),
            "groups" => With([2, 6, 5, 5], s => Made("Conv", s, [4, 3, 3, 3], ("group", 2L))),
            "depthwise" => With([1, 4, 6, 6], s => Made("Conv", s, [8, 1, 3, 3], ("group", 4L), ("pads", Numbers(1, 1, 1, 1)))),
            "same-upper" => With([1, 2, 8, 7], s => Made("Conv", s, [3, 2, 3, 4], ("auto_pad", "SAME_UPPER"), ("strides", Numbers(2, 2)))),
            "same-lower" => With([1, 2, 8, 7], s => Made("Conv", s, [3, 2, 3, 4], ("auto_pad", "SAME_LOWER"), ("strides", Numbers(2, 2)))),
            "valid" => With([1, 2, 8, 7], s => Made("Conv", s, [3, 2, 3, 4], ("auto_pad", "VALID"))),
            "one-axis" => With([2, 3, 11], s => Made("Conv", s, [4, 3, 5], ("pads", Numbers(2, 2)), ("strides", Numbers(2)))),
            "three-axes" => With([1, 2, 4, 5, 3], s => Made("Conv", s, [3, 2, 2, 3, 2])),
            "gemm" => With([5, 6], s => Made("Gemm", s, [6, 3])),
            "gemm-transposed" => With([5, 6], s => Made("Gemm", s, [3, 6], ("transB", 1L))),
            _ => With([2, 5, 6], s => Made("MatMul", s, [6, 3])),
        };
    }

    private static (LayerRows Rows, LayerPair Pair, Func<int, int, int, float> Weight) Open(string name)
    {
        var (node, input) = Layer(name);
        using var runner = OnnxRuntimeRunner.Unoptimized(node.Graph.Model, 1);
        var output = runner.Run(new Dictionary<string, Tensor> { ["x"] = input })["y"];
        var rows = LayerRows.Of(node)!;
        var w = node.Inputs[1]!.Constant!.ToArray<float>();
        var byInput = node.Is("MatMul") || node.Is("Gemm") && node.Int("transB") == 0;
        return (rows, new(0, [input, null], output, () => output), (g, c, i) => byInput ? w[i * rows.Channels + c]
            : w[(g * rows.Channels + c) * rows.Width + i]);
    }

    [Theory, MemberData(nameof(Layers))]
    public void Rows_times_weights_are_the_outputs(string name)
    {
        var (rows, pair, weight) = Open(name);
        var seen = 0;
        rows.ForEach(pair, (group, inputs, targets) =>
        {
            for (var c = 0; c < rows.Channels; c++)
            {
                var sum = 0.0;
                for (var i = 0; i < rows.Width; i++)
                    sum += inputs[i] * (double)weight(group, c, i);
                Assert.Equal(targets[c], sum, 1e-4);
                seen++;
            }
        });
        Assert.Equal(pair.Target.Length, seen);
    }

    [Theory, InlineData("groups"), InlineData("gemm")]
    public void A_Gram_matrix_is_the_sum_of_products(string name)
    {
        var (rows, pair, weight) = Open(name);
        var gram = new GramMatrix(rows);
        gram.Add(pair);
        gram.Add(pair);
        Assert.Equal(2 * pair.Target.Length / rows.Groups / rows.Channels, gram.Count);
        for (var g = 0; g < rows.Groups; g++)
        {
            var (inputs, targets) = (gram.Inputs(g), gram.Targets(g));
            var expected = new double[rows.Width * rows.Width];
            rows.ForEach(pair, (group, x, _) =>
            {
                for (var i = 0; group == g && i < rows.Width; i++)
                    for (var j = 0; j < rows.Width; j++)
                        expected[i * rows.Width + j] += 2.0 * x[i] * x[j];
            });
            Assert.All(expected.Zip(inputs), e => Assert.Equal(e.First, e.Second, 1e-9));
            // Targets are exactly inputs times weights here: X'Y = X'X W.
            for (var i = 0; i < rows.Width; i++)
                for (var c = 0; c < rows.Channels; c++)
                    Assert.Equal(Enumerable.Range(0, rows.Width).Sum(k => inputs[i * rows.Width + k] * weight(g, c, k)), targets[i * rows.Channels + c], 1e-3);
        }
    }

    /// <summary>At even distances a picture five wide would show the same column in all samples.</summary>
    [Fact]
    public void Some_rows_of_a_sample_do_not_fall_into_step_with_the_width()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var x = model.Graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 1, 25, 5));
        var rows = LayerRows.Of(model.Graph.AddNode("Conv", [x, model.Graph.AddInitializer("w", Tensor.Of([1f], 1, 1, 1, 1))], ["y"]))!;
        // Each element is its own place.
        var places = Tensor.Of([.. Enumerable.Range(0, 125).Select(static i => (float)i)], 1, 1, 25, 5);
        var (columns, seen, perSample) = (new int[5], new HashSet<float>(), 0);
        for (var sample = 0; sample < 10; sample++)
        {
            var taken = new List<float>();
            rows.ForEach(new(sample, [places], places, () => places), (_, inputs, targets) =>
            {
                Assert.Equal(inputs[0], targets[0]);
                taken.Add(inputs[0]);
            }, 25);
            Assert.Equal(25, taken.Distinct().Count());
            perSample = taken.Count;
            seen.UnionWith(taken);
            foreach (var place in taken)
                columns[(int)place % 5]++;
        }
        Assert.Equal(25, perSample);
        Assert.All(columns, c => Assert.InRange(c, 40, 60));
        // Later samples show what the first did not.
        Assert.Equal(125, seen.Count);
    }

    [Fact]
    public void A_sample_of_rows_keeps_to_its_bound_and_is_spread_evenly()
    {
        var (rows, _, _) = Open("gemm");
        var sample = new RowSample(rows, 16);
        for (var i = 0; i < 20; i++)
            sample.Add(new(i, [Tensor.Of([.. Enumerable.Range(0, 30).Select(k => (float)(i * 5 + k / 6))], 5, 6)], Tensor.Of(new float[15], 5, 3), () =>
                throw new InvalidOperationException()));
        Assert.Equal(100, sample.Seen(0));
        Assert.Equal(Enumerable.Range(0, 13).Select(i => i * 8f), sample.Of(0).Select(r => r.Inputs[0]));
    }

    [Fact]
    public void Means_are_of_what_each_channel_lacks()
    {
        var means = new ChannelMeans(1);
        means.Add(Tensor.Of([1f, 2, 3, 4, 5, 6], 1, 2, 3), Tensor.Of([0f, 0, 0, 4, 4, 4], 1, 2, 3));
        means.Add(Tensor.Of([4f, 5], 1, 2, 1), Tensor.Of([0f, 0], 1, 2, 1));
        Assert.Equal([10 / 4.0, 8 / 4.0], means.Means);
        Assert.Equal([30 / 4.0, 30 / 4.0], means.MeanSquares);
        var last = new ChannelMeans(-1);
        last.Add(Tensor.Of([1f, 2, 3, 4], 2, 2), Tensor.Of([0f, 0, 0, 0], 2, 2));
        Assert.Equal([2.0, 3], last.Means);
        Assert.Throws<ArgumentException>(() => last.Add(Tensor.Of([1f], 1, 1), Tensor.Of([1f], 1, 1)));
        Assert.Throws<ArgumentException>(() => last.Add(Tensor.Of([1f, 2], 1, 2), Tensor.Of([1f, 2], 2, 1)));
    }
}
