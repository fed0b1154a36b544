using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>Channels are taken out of whole models, of all groups at once: what is left answers as the model in which nobody reads them.</summary>
public sealed class ChannelGroupTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    [SkippableTheory]
    [InlineData("own_mnist_cnn", 0.95)]
    [InlineData("own_mnist_cnn_bn", 0.95)]
    [InlineData("mnist8", 0.95)]
    [InlineData("burn_mnist", 0.95)]
    [InlineData("kws_dscnn", 0.95)]
    [InlineData("cifar_resnet20", 0.95)]
    [InlineData("mobilenet_v1_025", 0.95)]
    [InlineData("mobilenet_v2", 0.95)]
    // The last convolution's channels are gathered one by one from all samples' features in a row.
    [InlineData("efficientnet_lite0", 0.93)]
    [InlineData("vww_96", 0.95)]
    [InlineData("blazeface", 0.95)]
    [InlineData("yunet", 0.95)]
    [InlineData("ultraface", 0.95)]
    [InlineData("mlsd_tiny", 0.95)]
    [InlineData("ppocr_cls", 0.95)]
    [InlineData("ppocr_det", 0.95)]
    [InlineData("ppocr_rec", 0.95)]
    [InlineData("hand_keypoint", 0)]
    [InlineData("own_mnist_mlp", 0)]
    [InlineData("autoencoder", 0)]
    [InlineData("own_mnist_lstm", 0.9)]
    [InlineData("own_mnist_vit", 0)]
    [InlineData("g2p_gru", 0.9)]
    // A normalization over units is one of all of them.
    [InlineData("forecast_gru", 0.5)]
    [InlineData("nnsplit", 0.9)]
    [InlineData("resemblyzer", 0.9)]
    [InlineData("minilm_l3", 0)]
    public void What_is_left_answers_as_the_masked_model(string name, double share)
    {
        Skip.IfNot(Shared.ZooModels.Contains(name), "the models of docs/zoo.md are not here");
        var source = OnnxReader.Read(Zoo.PathOf(name));
        Simplifier.Run(source, new());
        var types = ShapeInference.Prove(source);
        var removed = new List<(ChannelGroup Group, IReadOnlySet<int> Channels)>();
        var (all, free) = (0, 0);
        var last = LastLayers(source);
        foreach (var group in ChannelGroups.Of(source, types))
        {
            // Every third channel, but of each axis one stays.
            var gone = Enumerable.Range(0, group.Count).Where(c => c % 3 == 1 && !group.Fixed.ContainsKey(c)).ToHashSet();
            var why = group.Refusal ?? (gone.Count == 0 ? group.Fixed.Values.FirstOrDefault() ?? "one channel" : null)
                ?? (ChannelCut.Of(source, types, [(group, gone)]).Refusal is var (node, reason) ? $"{node.OpType}: {reason}" : null);
            if (why is null)
                removed.Add((group, gone));
            if (why is not null || group.Node.OpType is "LSTM" or "GRU")
                output.WriteLine($"{group.Node.DisplayName} ({group.Node.OpType}, {group.Layers.Count} layers): {why}");
            // What the last layers give are answers, not channels.
            foreach (var layer in group.Layers.Where(l => !last.Contains(l)))
                foreach (var member in group.Members.Where(m => m.Node == layer && (m.Input, m.Axis) is (1, 0) && layer.Is("Conv") || m.Node == layer
                    && layer.OpType is "LSTM" or "GRU" && (m.Input, m.Axis) is (2, 2)))
                {
                    all += member.Channels.Count;
                    free += member.Channels.Count(c => why is null && c >= 0 && !group.Fixed.ContainsKey(c));
                }
            if (group.Refusal is not null && !last.Contains(group.Node))
                all += (int)group.Node.Inputs[1]!.Constant!.Shape[0];
        }
        output.WriteLine($"{free} of {all} channels of convolutions and units, {removed.Count} groups");
        Assert.NotEmpty(removed);
        Assert.True(free >= share * all, $"{free} of {all}");
        var model = source.Clone();
        var pruned = ShapeInference.Prove(model);
        var groups = ChannelGroups.Of(model, pruned).ToDictionary(static g => g.Node.Key);
        var cut = ChannelCut.Of(model, pruned, removed.Select(r => (groups[r.Group.Node.Key], r.Channels)));
        Assert.Null(cut.Refusal);
        cut.Apply(model);
        var masked = Masked(source, removed);
        var inputs = Zoo.Inputs(name, source);
        var expected = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(masked), inputs);
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        var bytes = OnnxWriter.ToBytes(model).Length;
        Assert.True(bytes < OnnxWriter.ToBytes(source).Length);
        // It would be no wonder if the mask changed nothing.
        var before = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(source), inputs);
        double Differences(IReadOnlyDictionary<string, Tensor> whole, IReadOnlyDictionary<string, Tensor> left)
        {
            // Of probabilities that the mask has made 0 nothing is left but rounding.
            var differences = whole.ToDictionary(static o => o.Key, o => Zoo.Difference(o.Value, left[o.Key], Numbers.Doubles(before[o.Key]).Max(Math.Abs) / 10));
            output.WriteLine(string.Join(", ", differences.Select(static d => $"{d.Key}: {d.Value:E1}")));
            return differences.Values.Max();
        }

        // What compares floats for equality, or divides small numbers by small ones, is compared in binary64.
        if (Differences(expected, actual) > Tolerance)
            Assert.InRange(Differences(new Interpreter(masked).Run(inputs), new Interpreter(model).Run(inputs)), 0, Tolerance);
        Assert.Contains(expected, e => Zoo.Difference(before[e.Key], e.Value) > 1e-3);
    }

    /// <summary>Layers with weights from which no other one lies between them and an answer.</summary>
    private static HashSet<Node> LastLayers(Model model)
    {
        var found = new HashSet<Node>();
        var open = new Queue<Value>(model.Graph.Outputs);
        var seen = new HashSet<Value>();
        while (open.TryDequeue(out var value))
        {
            if (!seen.Add(value) || value.Producer is not { } node)
                continue;
            if (node.OpType is "Conv" or "Gemm" or "MatMul" or "LSTM" or "GRU" && node.Inputs.Skip(1).Any(static i => i?.Constant is { Rank: >= 2 }))
                found.Add(node);
            else
                foreach (var input in node.Inputs.OfType<Value>())
                    open.Enqueue(input);
        }
        return found;
    }

    /// <summary>A copy in which the weights that multiply what goes are 0.</summary>
    private static Model Masked(Model source, List<(ChannelGroup Group, IReadOnlySet<int> Channels)> removed)
    {
        var masked = source.Clone();
        var types = ShapeInference.Prove(masked);
        var nodes = masked.Graph.Nodes.ToDictionary(static n => n.Id);
        foreach (var (group, channels) in removed)
            foreach (var member in group.Members)
                if (member.Node is { } reader && nodes[reader.Id] is var node
                    && AxisMap.Of(node, types, masked.Opsets.GetValueOrDefault(node.Domain, 1)).Ties.Any(t =>
                        t.From.At == NodeAxis.OfInput(member.Input, member.Axis) || t.To.At == NodeAxis.OfInput(member.Input, member.Axis)))
                {
                    var data = node.Inputs[member.Input]!.Constant!;
                    var inner = Indexing.Product(data.Shape.AsSpan(), member.Axis + 1, data.Rank);
                    var values = Numbers.Doubles(data).Select((v, i) => channels.Contains(member.Channels[(int)(i / inner % data.Shape[member.Axis])]) ? 0 : v);
                    node.SetInput(member.Input, masked.Graph.AddInitializer("masked", Numbers.Of(data.ElementType, data.Shape, values.ToArray())));
                }
        return masked;
    }
}
