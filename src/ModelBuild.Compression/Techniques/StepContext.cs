using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>What a step is planned from.</summary>
public sealed class StepContext
{
    /// <summary>The model that the steps before left, with inferred types. Not to be changed.</summary>
    public required Model Model { get; init; }

    /// <summary>The target.</summary>
    public required HardwareProfile Profile { get; init; }

    /// <summary>The step of the recipe, with its arguments.</summary>
    public required RecipeStep Step { get; init; }

    /// <summary>What things cost on the target.</summary>
    public required ICosts Costs { get; init; }

    /// <summary>Nodes (by <see cref="Node.Key"/>) that must go on computing in float, with the reason: the runtime has no integer kernel for them where they
    /// stand. Their weights may be stored in fewer bits.</summary>
    public IReadOnlyDictionary<string, string> Floats { get; init; } = new Dictionary<string, string>();

    /// <summary>Nodes (by <see cref="Node.Key"/>) whose weights are not to be rounded to fewer than 16 bits: the answers would be off by too much.</summary>
    public IReadOnlySet<string> Exact { get; init; } = new HashSet<string>();

    /// <summary>Gives the histograms of tensors of <see cref="Model"/> by name; calibrates when it is first asked. Null without data.</summary>
    public Func<IReadOnlyCollection<string>, IReadOnlyDictionary<string, RangeHistogram>>? Histograms { get; init; }

    /// <summary>Runs what the step thinks of against the original, on calibration data; null without.</summary>
    public Trials? Trials { get; init; }

    /// <summary>Walks the model and those before it side by side, layer by layer, for repairs; null without data.</summary>
    public LayerRepairs? Layers { get; init; }
}
