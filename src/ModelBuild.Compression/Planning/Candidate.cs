using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Metrics;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>A plan carried out: the files that would ship, and what was found out about them.</summary>
public sealed class Candidate
{
    /// <summary>The recipe; <c>original</c> for the unmodified file.</summary>
    public required string Recipe { get; init; }

    /// <summary>The plan, or null for the original.</summary>
    public Plan? Plan { get; init; }

    /// <summary>The compressed graph, or null for the original: for predicting costs.</summary>
    public Model? Model { get; init; }

    /// <summary>What runs the artifact: the name of a <see cref="CompilerBackend"/>.</summary>
    public required string Backend { get; init; }

    /// <summary>The artifact: an .onnx file, or a managed artifact. There until the <see cref="Compressor"/> is disposed.</summary>
    public required Artifact Artifact { get; init; }

    /// <summary>Nodes (by <see cref="Node.Key"/>) that compute in float, since the backend has no integer kernel for them where they stand, or since the
    /// answers would be off by too much; with the reason.</summary>
    public IReadOnlyDictionary<string, string> Floats { get; init; } = new Dictionary<string, string>();

    /// <summary>Those of <see cref="Floats"/> that the answers need, in the order of what they do to them; none where all that can compute in integers
    /// does.</summary>
    public IReadOnlyList<string> LeftInFloat { get; set; } = [];

    /// <summary>What messages call it: the recipe, and what of it is not done.</summary>
    public string Title => LeftInFloat.Count == 0 ? Recipe : $"{Recipe} with {LeftInFloat.Count} {(LeftInFloat.Count == 1 ? "layer" : "layers")} in float";

    /// <summary>Nodes (by <see cref="Node.Key"/>) whose weights are not rounded to fewer than 16 bits either.</summary>
    public IReadOnlyCollection<string> Exact { get; init; } = [];

    /// <summary>Whether this is the unmodified file.</summary>
    public bool IsOriginal => Plan is null;

    /// <summary>Whether only exact rewriting was done: the outputs equal the original's but for float rounding.</summary>
    public bool IsLossless => Plan is null or { Steps.Count: 0 };

    /// <summary>Whether it was run on the choose part.</summary>
    public bool WasRun { get; set; }

    /// <summary>What it loses on the choose part; null where there is no data, or where it was not run.</summary>
    public EvaluationResult? Choose { get; set; }

    /// <summary>What it loses on the report part; null where it was not judged there.</summary>
    public EvaluationResult? Report { get; set; }

    /// <summary>Why the candidate could not be built or run; null where it could.</summary>
    public string? Failure { get; set; }
}
