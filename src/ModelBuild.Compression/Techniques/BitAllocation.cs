using System.Globalization;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// In how many bits the weights of each layer are stored: 4, or 8 or 16 where less would cost the answers too much. Each layer is rounded by itself and the
/// noise of the answers is measured; from 16 bits on, layers go to 8 and to 4 in the order of noise for each byte that is saved, as many as the budget bears,
/// which is found by halving. All of it on calibration data, in one session whose weights are inputs. Without data, layers whose own weights lose more than
/// usual stay in 8 bits.
/// </summary>
internal static class BitAllocation
{
    /// <summary>What the rounding may take of the budget on calibration data.</summary>
    private const double MostShare = 0.7;

    // Single layers are told apart by few samples: about so many runs in all.
    private const int Runs = 256, LeastSamples = 3, MostSamples = 16;

    // How much of the budget several layers take together is seen on more.
    private const int JudgedSamples = 64;

    /// <summary>Noise over signal of a layer's own weights beyond which they stay in 8 bits where there is no data: in blocks of 32, normally distributed ones
    /// have 0.006.</summary>
    private const double MostError = 0.009;

    /// <summary>A step of a layer to fewer bits.</summary>
    private sealed record Step(RoundedNode Layer, int Bits, double NoisePerByte);

    /// <summary>The bits of each layer without data, with the reason where they are not 4.</summary>
    /// <param name="layers">The layers with their rounded weights.</param>
    public static Dictionary<RoundedNode, (int Bits, string? Why)> ByWeights(IReadOnlyList<RoundedNode> layers) =>
        layers.ToDictionary(static l => l, static l => l.WhyBytes is { } why ? (8, why) : l.Error(4) > MostError
            ? (8, string.Create(CultureInfo.InvariantCulture, $"8 bits: in 4 its weights would lose {l.Error(4):0.0000} of their power")) : (4, (string?)null));

    /// <summary>The bits of each layer by what the answers bear, with the reason where they are not 4.</summary>
    /// <param name="model">The model. Not changed.</param>
    /// <param name="layers">Its layers with their rounded weights.</param>
    /// <param name="trials">Runs models against the original.</param>
    /// <param name="samples">The samples that nothing was fitted to.</param>
    public static Dictionary<RoundedNode, (int Bits, string? Why)> ByAnswers(Model model, IReadOnlyList<RoundedNode> layers, Trials trials,
        IReadOnlyList<int> samples)
    {
        using var fed = new FedModel(model, layers);
        var few = Spread(samples, Math.Clamp(Runs / layers.Count, LeastSamples, MostSamples));
        var judged = Spread(samples, JudgedSamples);
        var noise = layers.ToDictionary(static l => l,
            l => trials.Run(fed.With(other => !ReferenceEquals(other, l) ? 32 : l.WhyBytes is null ? 4 : 8), few).Noise.Sum());
        var steps = layers.SelectMany(l => StepsOf(l, noise[l])).OrderBy(static s => s.NoisePerByte).ToList();

        Dictionary<RoundedNode, int> After(int count)
        {
            var bits = layers.ToDictionary(static l => l, static _ => 16);
            foreach (var step in steps.Take(count))
                bits[step.Layer] = step.Bits;
            return bits;
        }

        bool Holds(int count)
        {
            var bits = After(count);
            return trials.Run(fed.With(l => bits[l]), judged).Share <= MostShare;
        }

        var (least, most) = (0, steps.Count);
        if (Holds(most))
            least = most;
        while (most - least > 1)
            if ((least + most) / 2 is var middle && Holds(middle))
                least = middle;
            else
                most = middle;
        return After(least).ToDictionary(static b => b.Key, b => (b.Value, b.Value == 4 ? null : b.Key.WhyBytes is { } why && b.Value == 8 ? why
            : string.Create(CultureInfo.InvariantCulture,
                $"{b.Value} bits: {(b.Key.WhyBytes is null ? 4 : 8)} would add noise of {noise[b.Key]:0.#####} of the answers' power")));
    }

    /// <summary>The steps of a layer; noise in 8 bits follows from that in 4 as that of the weights themselves does.</summary>
    private static IEnumerable<Step> StepsOf(RoundedNode layer, double noise)
    {
        if (!double.IsFinite(noise))
            noise = double.MaxValue;
        var inBytes = layer.WhyBytes is not null ? noise : noise * Math.Min(1, layer.Error(8) / Math.Max(layer.Error(4), 1e-12));
        var first = inBytes / Math.Max(1, layer.Bytes(16) - layer.Bytes(8));
        if (layer.Bytes(16) > layer.Bytes(8))
            yield return new(layer, 8, first);
        // Not before the step to 8.
        if (layer.WhyBytes is null)
            yield return new(layer, 4, Math.Max(first, (noise - inBytes) / (layer.Bytes(8) - layer.Bytes(4))));
    }

    private static int[] Spread(IReadOnlyList<int> samples, int count) => samples.Count <= count ? [.. samples]
        : [.. Enumerable.Range(0, count).Select(i => samples[(int)((long)i * samples.Count / count)])];

    /// <summary>A model that is fed its weights, and what is added to the outputs of its layers.</summary>
    private sealed class FedModel : IDisposable
    {
        private readonly OnnxRuntimeRunner _runner;
        private readonly IReadOnlyList<RoundedNode> _layers;
        private readonly Dictionary<RoundedTensor, string> _weights = [];
        private readonly Dictionary<RoundedNode, (string Name, long[] Shape)> _shifts = [];
        private readonly Dictionary<(RoundedTensor, int), Tensor> _stored = [];

        public FedModel(Model model, IReadOnlyList<RoundedNode> layers)
        {
            _layers = layers;
            var work = model.Clone();
            var byKey = work.Nodes.Where(static n => n.Key.Length > 0).ToDictionary(static n => n.Key, StringComparer.Ordinal);
            var inputs = new Dictionary<RoundedTensor, Value>();
            foreach (var layer in layers)
            {
                var node = byKey[layer.Layer.Key];
                foreach (var (index, tensor) in layer.Weights)
                {
                    if (!inputs.TryGetValue(tensor, out var input))
                        inputs.Add(tensor, input = work.Graph.AddInput(work.Graph.UniqueName("fed_weights"), tensor.Weights.Type));
                    node.SetInput(index, input);
                }
                if (layer.Shifts.Count > 0)
                    Shift(work, layer, node);
            }
            foreach (var (tensor, value) in inputs)
                _weights.Add(tensor, value.Name);
            Sweep.Run(work);
            _runner = OnnxRuntimeRunner.Unoptimized(work, 1);
        }

        private void Shift(Model work, RoundedNode layer, Node node)
        {
            var channels = layer.Shifts.Values.First().Length;
            // Channels are the second axis of a convolution's output, the last one of a product's.
            var shape = node.Is("Conv") ? [channels, .. Enumerable.Repeat(1L, node.Inputs[1]!.Type!.Rank - 2)] : new long[] { channels };
            var shift = work.Graph.AddInput(work.Graph.UniqueName("fed_shift"), TensorType.Of(ElementType.Float, shape));
            var users = node.Output.Uses.ToArray();
            var (graph, output) = (node.Graph, node.Output);
            var sum = graph.AddNode("Add", [output, shift], [output.Name + "_shifted"]);
            sum.Output.Type = output.Type;
            foreach (var (user, index) in users)
                user.SetInput(index, sum.Output);
            _shifts.Add(layer, (shift.Name, shape));
        }

        /// <summary>The model with the weights of each layer in some bits: 4, 8, 16, or 32 as they were.</summary>
        public IModelRunner With(Func<RoundedNode, int> bits)
        {
            var fed = new Dictionary<string, Tensor>(StringComparer.Ordinal);
            foreach (var layer in _layers)
            {
                var width = bits(layer);
                // Of layers that share weights the one with the most bits decides.
                foreach (var (_, tensor) in layer.Weights)
                    if (!fed.ContainsKey(_weights[tensor]) || width > 4)
                        fed[_weights[tensor]] = Stored(tensor, width);
                if (_shifts.TryGetValue(layer, out var shift))
                    fed[shift.Name] = Tensor.Of(layer.Shifts.GetValueOrDefault(width) ?? new float[(int)Tensor.Count(shift.Shape)], shift.Shape);
            }
            return new Fed(_runner, fed);
        }

        private Tensor Stored(RoundedTensor tensor, int bits)
        {
            if (bits == 32)
                return tensor.Weights;
            if (!_stored.TryGetValue((tensor, bits), out var stored))
                _stored.Add((tensor, bits), stored = tensor.Stored(bits));
            return stored;
        }

        public void Dispose() => _runner.Dispose();
    }

    private sealed class Fed(IModelRunner model, IReadOnlyDictionary<string, Tensor> weights) : IModelRunner
    {
        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) => model.Run(inputs.Concat(weights).ToDictionary());

        public void Dispose()
        {
        }
    }
}
