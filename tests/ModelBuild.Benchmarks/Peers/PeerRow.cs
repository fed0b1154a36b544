using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>Whose artifact a row is about.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PeerKind>))]
internal enum PeerKind
{
    /// <summary>The original file.</summary>
    Original,

    /// <summary>What ships for this machine's profile, preferring time.</summary>
    Latency,

    /// <summary>What ships for this machine's profile, preferring size.</summary>
    Size,

    /// <summary>What ships for x64-avx2, preferring time: weights of 7 bits. Judged, and not timed where the class is another.</summary>
    Avx2,

    /// <summary>Another tool's.</summary>
    Peer,
}

/// <summary>One artifact of one model: a line of <c>docs/results/quantization.md</c>. Figures that do not apply are null.</summary>
internal sealed record PeerRow(string Model, PeerKind Kind, string Name, string Backend, long Bytes)
{
    /// <summary>The deciding metric on the evaluation data.</summary>
    public string Metric { get; init; } = "";

    /// <summary>The loss by it.</summary>
    public double? Loss { get; init; }

    /// <summary>The product's budget.</summary>
    public double Budget { get; init; }

    /// <summary>Whether the loss is within it; equal but for float rounding is.</summary>
    public bool InBudget { get; init; }

    /// <summary>Share of right answers, where there are labels.</summary>
    public double? Top1 { get; init; }

    /// <summary>Share of decisions as the original's, on the output where it is least.</summary>
    public double? Agreement { get; init; }

    /// <summary>Regret on the output where it is largest.</summary>
    public double? Regret { get; init; }

    /// <summary>Decibels, on the output where it is least.</summary>
    public double? Sqnr { get; init; }

    /// <summary>Samples of the evaluation data that it was judged on.</summary>
    public int Samples { get; init; }

    /// <summary>Share of multiply-adds in integers.</summary>
    public double? MultiplyAdds { get; init; }

    /// <summary>Share of weights that are stored as integers.</summary>
    public double Weights { get; init; }

    /// <summary>Whether the share of weights is what counts for the model.</summary>
    public bool CountsWeights { get; init; }

    /// <summary>Median over interleaved rounds of its time over the original's.</summary>
    public double? Time { get; init; }

    /// <summary>Nodes that multiply in float.</summary>
    public IReadOnlyList<string> FloatLayers { get; init; } = [];

    /// <summary>Why it could not be judged; null where it could.</summary>
    public string? Refused { get; init; }

    /// <summary>The share of multiply-adds that artifacts of the model are compared by, beside that of weights; 0 where weights alone count.</summary>
    [JsonIgnore]
    public double Share => CountsWeights ? 0 : MultiplyAdds ?? 0;

    /// <summary>Where the rows of a CPU class are kept, so that a run for some models replaces theirs alone.</summary>
    public static string FileOf(string cpuClass) => Path.Combine(SharedFolder.Repository, "docs", "results", $"quantization.{cpuClass}.json");

    /// <summary>Reads rows; none where there is no file.</summary>
    public static List<PeerRow> Read(string path) => File.Exists(path) ? JsonSerializer.Deserialize<List<PeerRow>>(File.ReadAllText(path))! : [];

    /// <summary>Writes rows.</summary>
    public static void Write(string path, IEnumerable<PeerRow> rows) => File.WriteAllText(path, JsonSerializer.Serialize(
        rows.OrderBy(r => r.Model, StringComparer.Ordinal).ThenBy(r => r.Kind).ThenBy(r => r.Name, StringComparer.Ordinal), Indented) + "\n");

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
}
