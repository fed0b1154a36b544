using System.Text.Json;
using ModelBuild.Compression.Metrics;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// A peer's run as <c>peers/results.json</c> tells of it, for runs whose files are not at hand. They were made on a CPU of another class, whose times say
/// nothing here. What is taken is the size, the loss with exact integer sums, and the SQNR with exact sums. Its integer share is not known, so that such a run
/// enters the comparison of sizes, and is named where its SQNR is above ours, but decides no comparison of accuracy.
/// </summary>
/// <param name="Model">The model.</param>
/// <param name="Name">Tool and setting, as artifacts are named.</param>
/// <param name="Bytes">The artifact's size.</param>
/// <param name="Loss">Its loss by the metric it was judged by, integer sums exact; null where it does not run.</param>
/// <param name="InBudget">Whether that is within the metric's default budget.</param>
/// <param name="Sqnr">Decibels, integer sums exact; null where that was not measured.</param>
internal sealed record PeerRecord(string Model, string Name, long Bytes, double? Loss, bool InBudget, double? Sqnr)
{
    /// <summary>Whether it multiplies floats: settings that store weights in fewer bits and no more.</summary>
    public bool IsStorageOnly => Name.Contains("weight-", StringComparison.Ordinal) || Name.Contains("matmul", StringComparison.Ordinal)
        || Name.Contains("fp16", StringComparison.Ordinal);

    /// <summary>All runs that gave a file that runs and is another than the original.</summary>
    public static IReadOnlyList<PeerRecord> Read()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(PeersCommand.Folder, "results.json")));
        return [.. json.RootElement.EnumerateArray().Select(Of).OfType<PeerRecord>()];
    }

    private static PeerRecord? Of(JsonElement run)
    {
        if (run.GetProperty("status").GetString() != "ok" || Number(run, "bytes") is not { } bytes || Flag(run, "unchanged")
            || !run.TryGetProperty("evaluation", out JsonElement evaluation) || !Flag(evaluation, "runs")
            || !run.TryGetProperty("metric", out JsonElement metric) || metric.GetString() is not { } name)
            return null;
        var exact = evaluation.TryGetProperty("without_saturation", out JsonElement e) && e.ValueKind == JsonValueKind.Object ? e : evaluation;
        var loss = Number(run, "loss_vnni") ?? Number(run, "loss");
        return new(run.GetProperty("model").GetString()!, $"{run.GetProperty("tool").GetString()}-{run.GetProperty("setting").GetString()}", (long)bytes, loss,
            loss <= MetricCatalog.Get(name).DefaultBudget, Number(exact, "sqnr_db"));
    }

    private static double? Number(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement v) && v.ValueKind == JsonValueKind.Number
        ? v.GetDouble() : null;

    private static bool Flag(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement v) && v.ValueKind == JsonValueKind.True;
}
