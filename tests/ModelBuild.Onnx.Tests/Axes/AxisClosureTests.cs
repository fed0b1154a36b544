using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>
/// Channels taken out of real models by nothing but what operators state: the cut is followed from node to node, and what is left answers as the whole model
/// does without them.
/// </summary>
public sealed class AxisClosureTests(ITestOutputHelper output)
{
    private const int MaxCuts = 6;

    [SkippableTheory]
    [InlineData("own_mnist_cnn", 3)]
    [InlineData("own_mnist_cnn_bn", 3)]
    [InlineData("own_mnist_mlp", 1)]
    [InlineData("own_mnist_lstm", 1)]
    [InlineData("own_mnist_vit", 3)]
    [InlineData("kws_dscnn", 3)]
    [InlineData("cifar_resnet20", 3)]
    [InlineData("blazeface", 2)]
    [InlineData("mnist8", 1)]
    public void Channels_can_be_taken_out_of_whole_models(string name, int least)
    {
        Run(name, true, least, Starts);
    }

    /// <summary>Whole heads, wherever an exporter's reshaping tells them apart; as attention's operator, and as the nodes that exporters write.</summary>
    [SkippableTheory]
    [InlineData("own_mnist_vit", true)]
    [InlineData("own_mnist_vit", false)]
    [InlineData("minilm_l3", true)]
    [InlineData("minilm_l3", false)]
    [InlineData("stories260k", false)]
    public void Heads_can_be_taken_out_of_whole_models(string name, bool fuses)
    {
        Run(name, fuses, 3, static model => Enumerable.Range(0, model.Graph.Nodes.Count).Where(i => model.Graph.Nodes[i] is { OpType: "Reshape" } n
            && n.Output.Type is { Rank: 4 } to && to.Shape[2] is { IsConstant: true, Value: > 1 } && n.Inputs[0]?.Type?.Rank == 3)
            .Select(static i => (i, NodeAxis.OfOutput(0, 2))));
    }

    private void Run(string name, bool fuses, int least, Func<Model, IEnumerable<(int Position, NodeAxis Axis)>> starts)
    {
        var source = OnnxReader.Read(Zoo.PathOf(name));
        Simplifier.Run(source, new() { FusesPatterns = fuses });
        ShapeInference.Run(source);
        var inputs = Zoo.Inputs(name, source);
        var (done, refused) = (0, new SortedDictionary<string, int>(StringComparer.Ordinal));
        foreach (var (position, axis) in starts(source))
        {
            if (done == MaxCuts)
                break;
            var model = source.Clone();
            var types = ShapeInference.Run(model);
            var closure = new Closure(model, types);
            if (closure.Cut(model.Graph.Nodes[position], axis) is { } reason)
            {
                refused[reason] = refused.GetValueOrDefault(reason) + 1;
                continue;
            }
            var whole = source.Clone();
            closure.Silence(whole);
            var expected = new Interpreter(whole).Run(inputs);
            closure.Apply();
            var actual = new Interpreter(model).Run(inputs);
            foreach (var (o, value) in expected)
                Assert.True(Zoo.Difference(value, actual[o]) <= 1e-5, $"{model.Graph.Nodes[position]}: {o} differs by {Zoo.Difference(value, actual[o]):E1}");
            done++;
            output.WriteLine($"{model.Graph.Nodes[position].DisplayName}: {closure.Nodes} nodes cut");
        }
        foreach (var (reason, count) in refused)
            output.WriteLine($"refused {count}: {reason}");
        Assert.True(done >= least, $"{done} cuts");
    }

    /// <summary>The output channels of what has weights.</summary>
    private static IEnumerable<(int Position, NodeAxis Axis)> Starts(Model model)
    {
        for (var i = 0; i < model.Graph.Nodes.Count; i++)
        {
            var node = model.Graph.Nodes[i];
            if (node.OpType is "Conv" or "Gemm" or "MatMul" && node.Input(1)?.Constant is { Rank: >= 2 } w)
                yield return (i, node.Is("Conv") ? NodeAxis.OfInput(1, 0) : NodeAxis.OfInput(1, node.Int("transB") != 0 ? 0 : w.Rank - 1));
            else if (node.OpType is "LSTM" or "GRU")
                yield return (i, NodeAxis.OfInput(2, 2));
        }
    }

    private sealed class Closure(Model model, InferenceResult types)
    {
        private readonly Dictionary<Node, Dictionary<NodeAxis, long[]>> _kept = [];
        private readonly Dictionary<Node, AxisCut> _cuts = [];

        public int Nodes => _cuts.Count;

        /// <summary>Every third slice goes; why that cannot be, or null.</summary>
        public string? Cut(Node start, NodeAxis axis)
        {
            var length = Length(start, axis)!.Value;
            var open = new Queue<Node>();
            Narrow(open, start, axis, [.. Enumerable.Range(0, (int)length).Where(static i => i % 3 != 1).Select(static i => (long)i)]);
            while (open.TryDequeue(out var node))
            {
                if (!AxisCut.TrySpread(AxisMap.Of(node, types, Opset(node)), a => Length(node, a), _kept[node], out var spread, out var refusal))
                    return refusal;
                foreach (var (a, kept) in spread)
                {
                    Narrow(open, node, a, kept);
                    var value = a.IsOutput ? node.Outputs[a.Index] : node.Inputs[a.Index]!;
                    // Constants are copied for whoever cuts them.
                    if (value.Constant is not null)
                        continue;
                    if (value.IsGraphInput || value.IsGraphOutput)
                        return "the model's interface would change";
                    if (value.Producer is { } producer && !ReferenceEquals(producer, node))
                        Narrow(open, producer, NodeAxis.OfOutput(value.ProducerIndex, a.Axis), kept);
                    foreach (var use in value.Uses)
                        Narrow(open, use.Node, NodeAxis.OfInput(use.Index, a.Axis), kept);
                }
            }
            foreach (var (node, kept) in _kept)
            {
                _cuts[node] = AxisCut.Of(node, types, Opset(node), kept);
                if (_cuts[node].Refusal is { } refusal)
                    return $"{node.OpType}: {refusal}";
                // Without constants on either side nothing can be silenced to compare with.
                foreach (var tie in AxisMap.Of(node, types, Opset(node)).Ties)
                    if (kept.ContainsKey(tie.From.At) && !new[] { tie.From.At, tie.To.At }.Any(a => !a.IsOutput && node.Inputs[a.Index]?.Constant is not null))
                        return $"{node.OpType}: summed over without weights";
            }
            return null;
        }

        public void Apply()
        {
            foreach (var cut in _cuts.Values)
                cut.Apply();
            // What was inferred is of the whole model.
            foreach (var node in model.Graph.Nodes)
                foreach (var o in node.Outputs.Where(static o => !o.IsGraphOutput))
                    o.Type = null;
        }

        /// <summary>Sets to 0, in a copy of the whole model, the weights that multiply what goes.</summary>
        public void Silence(Model whole)
        {
            var nodes = whole.Graph.Nodes.ToDictionary(static n => n.Id);
            foreach (var (node, kept) in _kept)
                foreach (var tie in AxisMap.Of(node, types, Opset(node)).Ties)
                    foreach (var a in new[] { tie.From.At, tie.To.At })
                        if (!a.IsOutput && kept.TryGetValue(a, out var k) && nodes[node.Id] is var copy && copy.Inputs[a.Index]?.Constant is { } data)
                            copy.SetInput(a.Index, whole.Graph.AddInitializer("silenced", Without(data, a.Axis, k)));
        }

        private static Tensor Without(Tensor data, int axis, long[] kept)
        {
            var inner = Indexing.Product(data.Shape.AsSpan(), axis + 1, data.Rank);
            var stays = kept.ToHashSet();
            var values = Numbers.Doubles(data).Select((v, i) => stays.Contains(i / inner % data.Shape[axis]) ? v : 0);
            return Numbers.Of(data.ElementType, data.Shape, values.ToArray());
        }

        private void Narrow(Queue<Node> open, Node node, NodeAxis axis, long[] kept)
        {
            if (!_kept.TryGetValue(node, out var axes))
                _kept[node] = axes = [];
            var narrowed = axes.TryGetValue(axis, out var before) ? before.Intersect(kept).ToArray() : kept;
            if (before?.Length == narrowed.Length || before is null && narrowed.Length == Length(node, axis))
                return;
            axes[axis] = narrowed;
            open.Enqueue(node);
        }

        private long? Length(Node node, NodeAxis axis)
        {
            var value = axis.IsOutput ? node.Outputs[axis.Index] : node.Inputs[axis.Index]!;
            return (value.Constant?.Type ?? types.TypeOf(value)) is { HasRank: true } t && t.Shape[axis.Axis].IsConstant ? t.Shape[axis.Axis].Value : null;
        }

        private long Opset(Node node) => model.Opsets.GetValueOrDefault(node.Domain, 1);
    }
}
