using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Decides which convolutions are computed by Winograd's algorithm (Lavin and Gray, arXiv:1509.09308). Its transforms take differences of inputs and sums with
/// weights of up to 8, and round on the way: how much is lost depends on both. Each layer is computed so on what it is fed in a few samples of the user's data,
/// or on noise where there are none, and compared with ONNX Runtime's result.
/// </summary>
internal static class WinogradChoice
{
    /// <summary>The largest difference that is accepted, over the layer's largest result. Typical layers lose 1e-5 or less.</summary>
    public const double MostError = 1e-4;

    private const int MostSamples = 2;

    // What is looked at in one run.
    private const long MostBytes = 64 << 20;

    // Rows and columns of noise where a size is not fixed.
    private const long NoiseSize = 16;

    /// <summary>Decides for a model and for what is made of it.</summary>
    /// <param name="model">The model in float, types inferred. Not changed.</param>
    /// <param name="eligible">Keys of nodes that the algorithm could compute.</param>
    /// <param name="data">Calibration data; null for none.</param>
    /// <param name="threads">Threads of the runs.</param>
    /// <param name="cancellation">Stops the runs.</param>
    public static IReadOnlyList<WinogradLayer> Of(Model model, IReadOnlyCollection<string> eligible, Dataset? data, int threads,
        CancellationToken cancellation)
    {
        // What runs in a branch only, or is not there before functions are put together, is computed directly.
        var layers = model.Graph.Nodes.Where(n => n.Is("Conv") && eligible.Contains(n.Key)).Select(Layer.Of).OfType<Layer>().ToList();
        if (data is null)
            layers.ForEach(static l => l.MeasureOnNoise());
        else
            for (var from = 0; from < layers.Count;)
            {
                var group = new List<Layer>();
                for (long bytes = 0; from < layers.Count && (group.Count == 0 || bytes + layers[from].Bytes <= MostBytes); from++)
                {
                    group.Add(layers[from]);
                    bytes += layers[from].Bytes;
                }
                try
                {
                    Measure(model, group, data, threads, cancellation);
                }
                catch (CompressionException)
                {
                    // What ONNX Runtime does not run unoptimized is computed directly.
                    group.ForEach(static l => l.Error = double.PositiveInfinity);
                }
            }
        return [.. layers.Select(static l => new WinogradLayer(l.Key, l.Error <= MostError, double.IsInfinity(l.Error) ? null : RoundedUp(l.Error)))];
    }

    private static void Measure(Model model, List<Layer> group, Dataset data, int threads, CancellationToken cancellation)
    {
        var copy = model.Clone();
        foreach (var name in group.SelectMany(static l => new[] { l.Input, l.Output }).Distinct())
        {
            if (copy.Graph.Find(name) is { IsGraphOutput: false, IsGraphInput: false } value)
                copy.Graph.AddOutput(value);
        }
        using var runner = OnnxRuntimeRunner.Unoptimized(copy, threads);
        for (var i = 0; i < Math.Min(data.Count, MostSamples); i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var inputs = data[i].Inputs;
            var outputs = runner.Run(inputs);
            foreach (var layer in group)
                layer.Measure(outputs.TryGetValue(layer.Input, out var x) ? x : inputs[layer.Input], outputs[layer.Output]);
        }
    }

    // One digit, so that plans do not differ by the order in which a CPU adds.
    private static double RoundedUp(double error)
    {
        if (error == 0)
            return error;
        var unit = Math.Pow(10, Math.Floor(Math.Log10(error)));
        return double.Parse($"{Math.Ceiling(error / unit) * unit:0e0}", System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>A convolution by itself.</summary>
    private sealed class Layer
    {
        private readonly Node _node;
        private readonly Tensor _weights;
        private readonly Tensor? _bias;

        private Layer(Node node, Tensor weights, Tensor? bias) => (_node, _weights, _bias) = (node, weights, bias);

        public static Layer? Of(Node node)
        {
            var constants = new ConstantEvaluation();
            var bias = node.Input(2) is { } b ? constants.Of(b) : null;
            return constants.Of(node.Inputs[1]!) is { ElementType: ElementType.Float, Rank: 4 } weights && (bias is null) == (node.Input(2) is null)
                ? new(node, weights, bias) : null;
        }

        public string Key => _node.Key;

        public string Input => _node.Inputs[0]!.Name;

        public string Output => _node.Output.Name;

        public long Bytes => BytesOf(_node.Inputs[0]!) + BytesOf(_node.Output);

        /// <summary>The largest error that was seen, over the largest result.</summary>
        public double Error { get; set; }

        private static long BytesOf(Value value) => value.Type is { HasRank: true } type && type.Shape.All(static d => d.IsConstant)
            ? type.Shape.Aggregate((long)sizeof(float), static (product, d) => product * d.Value) : MostBytes;

        /// <summary>Computes it by the algorithm.</summary>
        /// <param name="x">What it is fed.</param>
        /// <param name="expected">The result of a direct convolution.</param>
        public void Measure(Tensor x, Tensor expected)
        {
            ReadOnlySpan<float> ours = ByWinograd(x).Span<float>(), theirs = expected.Span<float>();
            double most = 0, off = 0;
            for (var i = 0; i < theirs.Length; i++)
            {
                most = Math.Max(most, Math.Abs(theirs[i]));
                var difference = Math.Abs((double)ours[i] - theirs[i]);
                // Not a number where the direct one is none.
                off = difference >= 0 || float.IsNaN(theirs[i]) ? Math.Max(off, difference) : double.PositiveInfinity;
            }
            Error = Math.Max(Error, off == 0 ? 0 : most == 0 ? double.PositiveInfinity : off / most);
        }

        public void MeasureOnNoise()
        {
            var random = new Random(1);
            var shape = _node.Inputs[0]!.Type is { HasRank: true } type
                ? type.Shape.Select(static (d, i) => i == 0 ? 1 : d.IsConstant ? d.Value : NoiseSize).ToArray() : [1, _weights.Shape[1], NoiseSize, NoiseSize];
            var x = new float[shape.Aggregate(1L, static (product, d) => product * d)];
            for (var i = 0; i < x.Length; i++)
                // Nearly normal: the sum of twelve uniform numbers.
                x[i] = Enumerable.Range(0, 12).Sum(_ => random.NextSingle()) - 6;
            var tensor = Tensor.Of(x, shape);
            using var direct = OnnxRuntimeRunner.Unoptimized(Alone(shape), 1);
            Measure(tensor, direct.Run(new Dictionary<string, Tensor> { ["x"] = tensor })["y"]);
        }

        private Tensor ByWinograd(Tensor x)
        {
            var model = Alone(x.Shape.AsSpan());
            var hash = new byte[32];
            if (!ManagedLowering.TryLower(model, hash, new([new(model.Graph.Nodes[0].Key, true)]), out var program, out var why))
                throw new InvalidOperationException(why);
            using var folder = new ArtifactFolder();
            using var runner = new ManagedRunner(folder.Add(program).Path, DescriptionBuilder.Of(model.Graph, hash));
            return runner.Run(new Dictionary<string, Tensor> { ["x"] = x })["y"];
        }

        private Model Alone(ReadOnlySpan<long> shape)
        {
            var model = new Model { Opsets = { [""] = _node.Graph.Model.Opset } };
            var graph = model.Graph;
            // Rows and columns have names, as if they were open: what is chosen for one size is chosen for all.
            var x = graph.AddInput("x", new(ElementType.Float, [shape[0], shape[1], Dimension.Named("h"), Dimension.Named("w")]));
            var conv = graph.AddNode("Conv", [x, graph.AddInitializer("w", _weights), _bias is null ? null : graph.AddInitializer("b", _bias)], ["y"]);
            foreach (var (name, value) in _node.Attributes)
                conv.Attributes[name] = value;
            graph.AddOutput(conv.Output);
            ShapeInference.Run(model);
            return model;
        }
    }
}
