using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Planning;

namespace ModelBuild.Compression.Reporting;

/// <summary>What <c>report.json</c> holds for one model and profile. Every number was measured in that run or is marked as an estimate.</summary>
public sealed record CompressionReport
{
    /// <summary>The number of the format.</summary>
    public int Format { get; init; } = 1;

    /// <summary>The model's file name.</summary>
    public required string Model { get; init; }

    /// <summary>The profile.</summary>
    public required string Profile { get; init; }

    /// <summary>The source file.</summary>
    public required FileFacts Source { get; init; }

    /// <summary>What ships.</summary>
    public required ArtifactFacts Artifact { get; init; }

    /// <summary>The deciding metric on the part of the data that reports; null without data.</summary>
    public MetricFacts? Metric { get; init; }

    /// <summary>Every metric on every judged output, on the part that reports.</summary>
    public required IReadOnlyList<MetricResult> Metrics { get; init; }

    /// <summary>How the metric was picked.</summary>
    public string? MetricWhy { get; init; }

    /// <summary>The accepted loss.</summary>
    public double? Budget { get; init; }

    /// <summary>For pictures: what the original keeps of its own answers when its inputs are off by up to half a grey level; null for other data.</summary>
    public NoiseFloorFacts? NoiseFloor { get; init; }

    /// <summary>The recipe that ships.</summary>
    public required string Technique { get; init; }

    /// <summary>What that is, in plain words.</summary>
    public required string What { get; init; }

    /// <summary>Predicted time of a call over the original's.</summary>
    public required Prediction Latency { get; init; }

    /// <summary>How the data was split.</summary>
    public required string Data { get; init; }

    /// <summary>How integer arithmetic was carried out when the candidates were verified: <c>native</c> or <c>emulated</c>; always with exact 32-bit
    /// sums.</summary>
    public required string Verification { get; init; }

    /// <summary>The CPU class of the machine that verified.</summary>
    public required string HostClass { get; init; }

    /// <summary>Whether there was no data to verify on.</summary>
    public required bool Unverified { get; init; }

    /// <summary>All candidates, best first.</summary>
    public required IReadOnlyList<CandidateFacts> Candidates { get; init; }

    /// <summary>The candidates that were judged on the part that reports before one was taken, in order: at most three.</summary>
    public required IReadOnlyList<LookFacts> Looks { get; init; }

    /// <summary>How much of the model each step of the recipe that ships reached; empty for the original.</summary>
    public required IReadOnlyList<StepFacts> Steps { get; init; }

    /// <summary>What was done to each layer of what ships.</summary>
    public required IReadOnlyList<LayerFacts> Layers { get; init; }

    /// <summary>What the user was told.</summary>
    public required IReadOnlyList<FindingFacts> Findings { get; init; }

    /// <summary>Seconds by step.</summary>
    public required IReadOnlyDictionary<string, double> Timings { get; init; }

    /// <summary>The version of the compiler.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>The report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.CompressionReport);
}

/// <summary>A file.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its hash.</param>
public sealed record FileFacts(long Bytes, string Sha256);

/// <summary>An artifact.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its hash.</param>
/// <param name="Backend">What runs it.</param>
public sealed record ArtifactFacts(long Bytes, string Sha256, string Backend);

/// <summary>A metric's outcome.</summary>
public sealed record MetricFacts(string Name, string Output, double Original, double Compressed, double Loss, double LossLow, double LossHigh, int Samples);

/// <summary>What half a step of the inputs' grid does to the original's answers.</summary>
/// <param name="Output">The output where it does most.</param>
/// <param name="Sqnr">Signal over noise in decibels. A compressed model can hardly be held to more.</param>
/// <param name="Samples">How many samples were judged.</param>
public sealed record NoiseFloorFacts(string Output, double Sqnr, int Samples);

/// <summary>A prediction from a cost table.</summary>
/// <param name="Nanoseconds">Of one call, one thread.</param>
/// <param name="Ratio">Over the original's.</param>
/// <param name="Kind"><c>measured</c> where the table was measured on such hardware, else <c>estimate</c>. Either way a prediction, not a measurement of this
/// model.</param>
/// <param name="CostTable">CPU class and version of the table.</param>
public sealed record Prediction(double Nanoseconds, double Ratio, string Kind, string CostTable);

/// <summary>A candidate.</summary>
/// <param name="Technique">The recipe.</param>
/// <param name="Backend">What would run it.</param>
/// <param name="Bytes">Its size; 0 where it was not made.</param>
/// <param name="Sha256">Its hash; empty where it was not made.</param>
/// <param name="Metric">What it loses; null where it was not run, or there is no data.</param>
/// <param name="LatencyRatio">Its predicted time over the original's.</param>
/// <param name="Accepted">Whether it is within budget and limits.</param>
/// <param name="Why">Why it is taken or not.</param>
/// <param name="WasRun">Whether it was judged: what is predicted to be no better than what ships is not.</param>
public sealed record CandidateFacts(string Technique, string Backend, long Bytes, string Sha256, MetricFacts? Metric, double LatencyRatio, bool Accepted,
    string Why, bool WasRun);

/// <summary>A candidate judged on the part that reports.</summary>
public sealed record LookFacts(string Technique, string Backend, double? Loss, bool Held, string Why);

/// <summary>What a step of the recipe that ships reached.</summary>
/// <param name="Technique">The step.</param>
/// <param name="Layers">How many layers it changes.</param>
/// <param name="MultiplyAdds">Their share of all multiply-adds in a typical call.</param>
/// <param name="WeightBytes">Their share of the bytes of all weights.</param>
/// <param name="ComputesIntegers">Whether they multiply integers.</param>
public sealed record StepFacts(string Technique, int Layers, double MultiplyAdds, double WeightBytes, bool ComputesIntegers);

/// <summary>A layer of what ships.</summary>
/// <param name="Name">The user's name of the layer.</param>
/// <param name="Op">The operator.</param>
/// <param name="Technique">What was done; <c>float32</c> where nothing was.</param>
/// <param name="Bits">Bits of a stored weight, or null where there are none.</param>
/// <param name="Sparsity">Share of the weights that pruning took away, or null where nothing was pruned.</param>
/// <param name="Rank">The rank of a factorization, or null where the weights are whole.</param>
/// <param name="Sensitivity">Noise over signal of the rounded weights, or null.</param>
/// <param name="Why">Why a layer with weights was left as it is, or left to a later step, or multiplies floats; null where there is nothing to say.</param>
/// <param name="Sources">The source model's nodes that the layer came from.</param>
public sealed record LayerFacts(string Name, string Op, string Technique, int? Bits, double? Sparsity, int? Rank, double? Sensitivity, string? Why,
    IReadOnlyList<string> Sources)
{
    /// <summary>What a layer in integers is.</summary>
    public const string Integer = "integer";

    /// <summary>What a layer in float is; <see cref="Why"/> says why.</summary>
    public const string Float = "float";

    /// <summary>What it multiplies: <c>integer</c> or <c>float</c>; null where it has no multiply-adds.</summary>
    public string? Arithmetic { get; init; }

    /// <summary>Its share of all multiply-adds in a typical call.</summary>
    public double MultiplyAdds { get; init; }

    /// <summary>The share of the bytes of all weights that it reads.</summary>
    public double WeightBytes { get; init; }
}

/// <summary>Something that the user was told.</summary>
public sealed record FindingFacts(string Severity, string Code, string Text);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(CompressionReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
