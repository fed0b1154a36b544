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
internal sealed class BitAllocation
{
    // What trials may take, in predicted nanoseconds: all layers by themselves, and one choice.
    private const double TimeOfLayers = 1e9, TimeOfChoice = 0.4e9;

    // Single layers are told apart by few samples; how much of the budget several take together is seen on more.
    private const int LeastOfLayers = 2, MostOfLayers = 16, LeastOfChoice = 48, MostOfChoice = 512;

    // Where fewer samples were left out of the fitting, those that were fitted to are looked at, too.
    private const int EnoughSamples = 32, EnoughDecisions = 256;

    // Decisions under more noise are no longer changed at the same rate; none costs less than a third of the noise that changes it.
    private const double MostAlike = 10, LeastRate = 1.0 / 3;

    // In how many halvings a choice is found.
    private const int Halvings = 6, CarefulHalvings = 4;

    // How much more noise 8 bits may have in all than follows from that in 4.
    private const double MostFollowed = 4;

    // How many single steps are tried behind the first one that costs too much.
    private const int FurtherTrials = 2;

    /// <summary>Noise over signal of a layer's own weights beyond which they stay in 8 bits where there is no data: in blocks of 32, normally distributed ones
    /// have 0.006.</summary>
    private const double MostError = 0.009;

    private readonly Model _model;
    private readonly IReadOnlyList<RoundedNode> _layers;
    private readonly Trials _trials;
    private readonly int[] _few, _unseen, _all;
    private readonly Dictionary<(RoundedNode Layer, int Bits), double> _noise = [];
    private readonly List<Step> _steps = [];
    private readonly Dictionary<string, TrialResult> _results = new(StringComparer.Ordinal);

    /// <summary>Prepares the choice for a model.</summary>
    /// <param name="model">The model. Not changed.</param>
    /// <param name="layers">Its layers with their rounded weights.</param>
    /// <param name="trials">Runs models against the original.</param>
    /// <param name="isUnseen">Whether nothing was fitted to a sample.</param>
    /// <param name="time">Predicted nanoseconds of a call.</param>
    public BitAllocation(Model model, IReadOnlyList<RoundedNode> layers, Trials trials, Func<int, bool> isUnseen, double time)
    {
        (_model, _layers, _trials) = (model, layers, trials);
        int[] all = [.. Enumerable.Range(0, trials.Samples)];
        int[] unseen = [.. all.Where(isUnseen)];
        unseen = unseen.Length == 0 ? all : unseen;
        int Samples(double all, int least, int most) => (int)Math.Clamp(all / Math.Max(time, 1), least, most);
        var judged = Samples(TimeOfChoice, LeastOfChoice, MostOfChoice);
        _few = Trials.Spread(unseen, Samples(TimeOfLayers / layers.Count, LeastOfLayers, MostOfLayers));
        (_unseen, _all) = (Trials.Spread(unseen, judged), Trials.Spread(all, judged));
    }

    /// <summary>A step of a layer to fewer bits.</summary>
    private sealed record Step(RoundedNode Layer, int Bits, double NoisePerByte);

    /// <summary>The bits of each layer without data, with the reason where they are not 4.</summary>
    /// <param name="layers">The layers with their rounded weights.</param>
    public static Dictionary<RoundedNode, (int Bits, string? Why)> ByWeights(IReadOnlyList<RoundedNode> layers) =>
        layers.ToDictionary(static l => l, static l => l.WhyBytes is { } why ? (8, why) : l.Error(4) > MostError
            ? (8, string.Create(CultureInfo.InvariantCulture, $"8 bits: in 4 its weights would lose {l.Error(4):0.0000} of their power")) : (4, (string?)null));

    /// <summary>The bits of each layer by what the answers bear, with the reason where they are not 4.</summary>
    /// <param name="share">What the rounding may take of the budget on calibration data.</param>
    /// <param name="isCareful">Whether noise counts as loss, too, where decisions are judged.</param>
    public Dictionary<RoundedNode, (int Bits, string? Why)> ByAnswers(double share, bool isCareful)
    {
        // Few samples say little about others.
        var limit = share * (1 - 1 / Math.Sqrt(_unseen.Length + 1));
        bool Holds(Dictionary<RoundedNode, int> bits) => ShareOf(bits, isCareful) <= limit;

        var chosen = _layers.ToDictionary(static l => l, static l => l.WhyBytes is null ? 4 : 8);
        if (Holds(chosen))
            return chosen.ToDictionary(static b => b.Key, static b => (b.Value, b.Key.WhyBytes));
        if (_steps.Count == 0)
            MeasureLayers();
        var (least, most) = (0, _steps.Count);
        for (var halvings = 0; most - least > 1 && halvings < (isCareful ? CarefulHalvings : Halvings); halvings++)
            if ((least + most) / 2 is var middle && Holds(After(middle)))
                least = middle;
            else
                most = middle;
        chosen = After(least);
        // What one layer costs too much, others behind it may still bear.
        var tried = 0;
        foreach (var step in isCareful ? [] : _steps.Skip(least + 1))
            if (chosen[step.Layer] > step.Bits && tried++ < FurtherTrials
                && new Dictionary<RoundedNode, int>(chosen) { [step.Layer] = step.Bits } is var more && Holds(more))
                chosen = more;
        return chosen.ToDictionary(static b => b.Key,
            b => (b.Value, b.Value == 4 ? null : b.Value == 8 && b.Key.WhyBytes is { } why ? why : Why(b.Key, b.Value)));
    }

    private string Why(RoundedNode layer, int bits)
    {
        var least = layer.WhyBytes is null ? 4 : 8;
        return string.Create(CultureInfo.InvariantCulture,
            $"{bits} bits: {least} would add noise of {_noise.GetValueOrDefault((layer, least)):0.#####} of the answers' power");
    }

    private Dictionary<RoundedNode, int> After(int count)
    {
        var bits = _layers.ToDictionary(static l => l, static _ => 16);
        foreach (var step in _steps.Take(count))
            bits[step.Layer] = step.Bits;
        return bits;
    }

    /// <summary>What a choice takes of the budget.</summary>
    /// <remarks>Where few samples were left out of the fitting, all are judged, and what the fitted ones promise too much is told by the noise. Noise also
    /// says more about few samples than decisions do, of which it changes one or none: what a decision costs grows with the power of the noise, at a rate that
    /// is taken of all that was tried so far.</remarks>
    private double ShareOf(Dictionary<RoundedNode, int> bits, bool isCareful)
    {
        var key = string.Join(',', _layers.Select(l => bits[l]));
        if (!_results.TryGetValue(key, out var result))
        {
            using var model = Rounded(bits);
            result = _trials.Run(model, _unseen);
            if (_unseen.Length < (result.IsRegret ? EnoughDecisions : EnoughSamples) && _all.Length > _unseen.Length)
            {
                var all = _trials.Run(model, _all);
                var factor = Math.Max(1, result.Noise.Sum() / Math.Max(all.Noise.Sum(), 1e-12));
                result = all with { Share = all.Share * factor, NoiseShare = all.NoiseShare * factor };
            }
            _results.Add(key, result);
        }
        if (!double.IsFinite(result.Share) || !double.IsFinite(result.NoiseShare))
            return double.PositiveInfinity;
        if (isCareful || !result.IsRegret)
            return Math.Max(result.Share, isCareful ? result.NoiseShare : 0);
        var alike = _results.Values.Where(static r => r.NoiseShare <= MostAlike && double.IsFinite(r.Share)).Append(result).ToList();
        return result.NoiseShare * Math.Max(LeastRate, alike.Sum(static r => r.Share) / Math.Max(alike.Sum(static r => r.NoiseShare), 1e-12));
    }

    /// <summary>The model with its weights rounded, as it would be run: what sets up a session pays where many samples are judged.</summary>
    private OnnxRuntimeRunner Rounded(Dictionary<RoundedNode, int> bits)
    {
        var work = _model.Clone();
        var byKey = work.Nodes.Where(static n => n.Key.Length > 0).ToDictionary(static n => n.Key, StringComparer.Ordinal);
        var stored = new Dictionary<(RoundedTensor, int), Value>();
        foreach (var layer in _layers)
        {
            var node = byKey[layer.Layer.Key];
            if (layer.Shifts.TryGetValue(bits[layer], out var shift) && BiasPlace.Of(node) is { } place)
                place.Set(place.Corrected(Array.ConvertAll(shift, static s => (double)s)));
            foreach (var (index, tensor) in layer.Weights)
            {
                if (!stored.TryGetValue((tensor, bits[layer]), out var value))
                    stored.Add((tensor, bits[layer]), value = node.Inputs[index]!.Graph.AddInitializer("rounded", AsGiven(tensor, bits[layer])));
                node.SetInput(index, value);
            }
        }
        Sweep.Run(work);
        using var options = OnnxRuntimeRunner.Options(1);
        return new(work, options);
    }

    /// <summary>Weights in some bits, in the type that they had.</summary>
    private static Tensor AsGiven(RoundedTensor tensor, int bits)
    {
        var given = tensor.Value.Constant!;
        return bits == 32 ? given : given.ElementType == ElementType.Float ? tensor.Stored(bits) : UnpackedWeights.Halves(tensor.Stored(bits));
    }

    /// <summary>Measures the noise of each layer by itself, in one session that is fed its weights.</summary>
    private void MeasureLayers()
    {
        using var fed = new FedModel(_model, _layers);
        double Noise(Func<RoundedNode, int> bits) => _trials.Run(fed.With(bits), _few).Noise.Sum() is var noise && double.IsFinite(noise) ? noise : 1e9;

        foreach (var layer in _layers.Where(static l => l.WhyBytes is null))
            _noise[(layer, 4)] = Noise(l => ReferenceEquals(l, layer) ? 4 : 32);
        // In 8 bits as much less as the weights themselves lose less; where all layers together show that this does not hold, they are measured, too.
        foreach (var layer in _layers)
            if (layer.WhyBytes is null)
                _noise[(layer, 8)] = _noise[(layer, 4)] * Math.Min(1, layer.Error(8) / Math.Max(layer.Error(4), 1e-12));
            else
                _noise[(layer, 8)] = Noise(l => ReferenceEquals(l, layer) ? 8 : 32);
        if (Noise(static _ => 8) > MostFollowed * _layers.Sum(l => _noise[(l, 8)]))
            foreach (var layer in _layers.Where(static l => l.WhyBytes is null))
                _noise[(layer, 8)] = Noise(l => ReferenceEquals(l, layer) ? 8 : 32);
        _steps.AddRange(_layers.SelectMany(StepsOf).OrderBy(static s => s.NoisePerByte));
    }

    /// <summary>The steps of a layer from 16 bits down, each of less noise a byte than those behind it; a form that gains nothing on the way is left
    /// out.</summary>
    private IEnumerable<Step> StepsOf(RoundedNode layer)
    {
        var (bits, at) = (16, 0.0);
        while (bits > 4)
        {
            var next = ((int[])[8, 4]).Where(b => b < bits && layer.Bytes(b) < layer.Bytes(bits) && _noise.ContainsKey((layer, b)))
                .Select(b => new Step(layer, b, Math.Max(0, _noise[(layer, b)] - at) / (layer.Bytes(bits) - layer.Bytes(b)))).MinBy(static s => s.NoisePerByte);
            if (next is null)
                yield break;
            yield return next;
            (bits, at) = (next.Bits, _noise[(layer, next.Bits)]);
        }
    }

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
                        inputs.Add(tensor, input = work.Graph.AddInput(work.Graph.UniqueName("fed_weights"), tensor.Value.Constant!.Type));
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
            if (!_stored.TryGetValue((tensor, bits), out var stored))
                _stored.Add((tensor, bits), stored = AsGiven(tensor, bits));
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
