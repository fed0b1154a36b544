using System.Globalization;
using ModelBuild.Compression.Backends;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>What the integers of each layer of a plan do to the answers by themselves, all other layers being the original's, and what they save: the order in
/// which layers are left in float.</summary>
/// <remarks>A layer is looked at alone, and not left out of the whole: where biases are corrected layer by layer, later layers make up for what it does, and
/// without it the whole is off by more.</remarks>
internal sealed class PrecisionShares
{
    /// <summary>A layer that is a smaller part of the noise than this is not looked at.</summary>
    private const double LeastPart = 0.002;

    /// <summary>The least that a layer's integers count as saving, of the model's cost.</summary>
    private const double LeastSaving = 0.002;

    private readonly Dictionary<string, double> _parts;

    /// <summary>Measures the layers.</summary>
    /// <param name="pipeline">Makes plans of single layers.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="layers">Its layers, by key.</param>
    /// <param name="costs">What they cost.</param>
    /// <param name="noise">Noise over signal of a model's answers.</param>
    /// <param name="progress">Receives the number of layers done.</param>
    public PrecisionShares(Pipeline pipeline, Plan plan, IReadOnlyList<string> layers, ICosts costs, Func<Planned, double> noise, Action<int> progress)
    {
        var floats = pipeline.InFloat(plan);
        var (whole, before) = (costs.Predict(floats.Model.Graph), floats.Plan.Steps.Count > 0 ? noise(floats) : 0);
        var found = new Dictionary<string, (double Noise, double Saving)>(StringComparer.Ordinal);
        foreach (var layer in layers)
        {
            var alone = pipeline.Alone(plan, floats, layer);
            found.Add(layer, (Math.Max(0, noise(alone) - before), Math.Max(1 - costs.Predict(alone.Model.Graph) / whole, LeastSaving)));
            progress(found.Count);
        }
        var sum = found.Values.Sum(f => f.Noise);
        _parts = found.ToDictionary(f => f.Key, f => sum > 0 ? f.Value.Noise / sum : 0, StringComparer.Ordinal);
        Order = [.. layers.Where(l => _parts[l] > LeastPart).OrderByDescending(l => _parts[l] / found[l].Saving).ThenBy(l => l, StringComparer.Ordinal)];
    }

    /// <summary>The layers that matter, those first that are most of the noise for what their integers save.</summary>
    public IReadOnlyList<string> Order { get; }

    /// <summary>Some layers with the reason why they are in float, and those that are anyway.</summary>
    public Dictionary<string, string> Floats(IEnumerable<string> layers, IReadOnlyDictionary<string, string> known)
    {
        var all = new Dictionary<string, string>(known, StringComparer.Ordinal);
        foreach (var layer in layers)
            all.TryAdd(layer, string.Create(CultureInfo.InvariantCulture, $"in integers it would be {_parts[layer]:0.#%} of the noise of all layers"));
        return all;
    }
}
