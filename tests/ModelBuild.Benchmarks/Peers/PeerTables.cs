using System.Globalization;

namespace ModelBuild.Benchmarks;

/// <summary>The rows as tables, and what they come to. The bars are those that the project sets itself.</summary>
internal static class PeerTables
{
    private const double FasterThanOriginal = 0.50;
    private const double FasterThanBest = 0.65;
    private const double SmallerThanSmallest = 0.9;

    /// <summary>What a median of ratios may be above 1 by noise.</summary>
    private const double Slower = 1.03;

    /// <summary>Shares of multiply-adds that differ by less are the same.</summary>
    private const double SameShare = 1e-3;

    /// <summary>Shares of weights that differ by less are the same: biases and tables are counted with them.</summary>
    private const double SameWeights = 0.02;

    /// <summary>What an SQNR may be below another and count as equal, in decibels.</summary>
    private const double Decibels = 0.5;

    /// <summary>What a regret may be above another and count as equal: half a decibel as well, from a hundredth of a percent on.</summary>
    private const double SmallestRegret = 1e-4;

    /// <summary>All that is written for a CPU class.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<PeerRow> rows, IReadOnlyList<PeerRecord> records)
    {
        List<string> lines = [.. Summary(rows, records).Select(l => $"- {l}"), "",
            "Accuracy with exact integer sums on evaluation data; loss is by the deciding metric, on the output where it is worst. Integers: the share of "
                + "multiply-adds in integer kernels after all that ONNX Runtime fuses / the share of constants stored in 8 bits and less; the second is what "
                + "counts for models marked with w. Rows of x64-avx2 are not timed here.", "",
            "| model | artifact | backend | size | time | integers | metric | loss | in budget | top1 | agreement | regret | SQNR | samples |",
            "|---|---|---|---:|---:|---:|---|---:|---|---:|---:|---:|---:|---:|"];
        IGrouping<string, PeerRow>[] models = [.. rows.GroupBy(r => r.Model)];
        foreach (var model in models)
            lines.AddRange(model.Where(r => r.Refused is null).Select(r => Line(r, model.First(o => o.Kind == PeerKind.Original))));
        lines.AddRange(["", "### Refused", ""]);
        lines.AddRange(rows.Where(r => r.Refused is not null).Select(r => $"- {r.Model}, {r.Name}: {r.Refused}").DefaultIfEmpty("- none"));
        lines.AddRange(["", "### Nodes that multiply in float", ""]);
        lines.AddRange(rows.Where(r => r is { FloatLayers.Count: > 0, Kind: not PeerKind.Original }).Select(r => $"- {r.Model}, {Title(r)} "
            + (r.MultiplyAdds == 0 ? $"(all {r.FloatLayers.Count})" : $"({r.FloatLayers.Count}): {string.Join("; ", r.FloatLayers)}")));
        return lines;
    }

    /// <summary>A row of the table.</summary>
    public static string Line(PeerRow row, PeerRow original) => row.Refused is { } why ? $"| {row.Model} | {Title(row)} | refused: {why} |"
        : string.Create(CultureInfo.InvariantCulture, $"| {row.Model} | {Title(row)} | {row.Backend} | {(double)row.Bytes / original.Bytes:0.000} | "
        + $"{row.Time:0.00} | {row.MultiplyAdds:0.000} / {row.Weights:0.000}{(row.CountsWeights ? " w" : "")} | {row.Metric} | {row.Loss:0.#####} | "
        + $"{(row.InBudget ? "yes" : "no")} | "
        + $"{row.Top1:0.0000} | {row.Agreement:0.0000} | {row.Regret:0.#####} | {row.Sqnr:0.0} | {row.Samples} |");

    /// <summary>What the rows come to.</summary>
    public static IReadOnlyList<string> Summary(IReadOnlyList<PeerRow> rows, IReadOnlyList<PeerRecord> records)
    {
        List<double> overOriginal = [], overBest = [], sizes = [];
        List<string> slower = [], slowerThanPeer = [], larger = [], without = [], lower = [], lowerSeven = [], unknown = [];
        foreach (var model in rows.GroupBy(r => r.Model))
        {
            PeerRow Row(PeerKind kind) => model.First(r => r.Kind == kind);
            PeerRow[] peers = [.. model.Where(r => r.Kind == PeerKind.Peer && r.Refused is null)];
            PeerRow[] inBudget = [.. peers.Where(r => r.InBudget)];
            var ours = Row(PeerKind.Latency);
            if (ours.Time is { } time)
            {
                overOriginal.Add(time);
                if (time > Slower) slower.Add(Text($"{model.Key} {time:0.00}"));
                var fastest = inBudget.Where(r => r.Time is not null).MinBy(r => r.Time);
                overBest.Add(time / Math.Min(1, fastest?.Time ?? 1));
                if (fastest?.Time is { } theirs && time / theirs > Slower) slowerThanPeer.Add(Text($"{model.Key} {time / theirs:0.00} of {fastest.Name}"));
            }
            // Files at hand are judged here; runs without files by what is told of them.
            (string Name, long Bytes)[] small = [.. inBudget.Select(r => (r.Name, r.Bytes)),
                .. records.Where(r => r.Model == model.Key && r.InBudget && model.All(o => o.Name != r.Name)).Select(r => (r.Name, r.Bytes))];
            if (small.Length == 0) without.Add(model.Key);
            else
            {
                (var name, var bytes) = small.MinBy(s => s.Bytes);
                sizes.Add((double)Row(PeerKind.Size).Bytes / bytes);
                if (sizes[^1] > 1) larger.Add(Text($"{model.Key} {sizes[^1]:0.00} of {name}"));
            }
            lower.AddRange(Lower(ours, peers));
            lowerSeven.AddRange(Lower(Row(PeerKind.Avx2), peers));
            if (records.Where(r => r.Model == model.Key && !r.IsStorageOnly && model.All(o => o.Name != r.Name)).MaxBy(r => r.Sqnr) is { Sqnr: { } best } record
                && best > ours.Sqnr + Decibels)
                unknown.Add(Text($"{model.Key} {ours.Sqnr:0.0} dB, {record.Name} {best:0.0} dB"));
        }
        return
        [
            Text($"Time of ours over the original's, geometric mean of {overOriginal.Count} models: {Mean(overOriginal):0.000} ")
                + Text($"(bar {FasterThanOriginal:0.00})"),
            Text($"Time of ours over the best of the original and peers within budget, geometric mean: {Mean(overBest):0.000} (bar {FasterThanBest:0.00})"),
            Named($"Models above {Text($"{Slower:0.00}")} of the original", slower),
            Named($"Models above {Text($"{Slower:0.00}")} of the fastest peer within budget", slowerThanPeer),
            Text($"Size of ours over the smallest peer's within budget, files or not, geometric mean of {sizes.Count} models: {Mean(sizes):0.000} ")
                + Text($"(bar {SmallerThanSmallest:0.0})"),
            Named("Models larger than the smallest peer within budget", larger),
            Named("Models of which no peer is within budget", without),
            Named($"SQNR or regret worse by more than {Text($"{Decibels}")} dB than the best peer with at least our integer share", lower),
            Named("The same for x64-avx2", lowerSeven),
            Named("Runs without a file, whose integer share is not known, with a higher SQNR (other outputs may be counted)", unknown),
        ];
    }

    /// <summary>Where ours is worse than the best peer with at least our integer share, by SQNR or by regret.</summary>
    private static IEnumerable<string> Lower(PeerRow ours, IReadOnlyList<PeerRow> peers)
    {
        // Who multiplies floats on both sides is still not alike: weights of 16 bits are no match for those of 8.
        PeerRow[] comparable = [.. peers.Where(p => p.Share >= ours.Share - SameShare && p.Weights >= ours.Weights - SameWeights)];
        if (comparable.Where(p => p.Sqnr is not null).MaxBy(p => p.Sqnr) is { } clearest && ours.Sqnr < clearest.Sqnr - Decibels)
            yield return Text($"{ours.Model} {ours.Sqnr:0.0} dB, {clearest.Name} {clearest.Sqnr:0.0} dB");
        var factor = Math.Pow(10, Decibels / 10);
        if (comparable.Where(p => p.Regret is not null).MinBy(p => p.Regret) is { } surest
            && ours.Regret > Math.Max(surest.Regret!.Value, SmallestRegret) * factor)
            yield return Text($"{ours.Model} regret {ours.Regret:0.#####}, {surest.Name} {surest.Regret:0.#####}");
    }

    private static string Title(PeerRow row) => row.Kind switch
    {
        PeerKind.Latency => $"**ours**, latency: {row.Name}",
        PeerKind.Size => $"**ours**, size: {row.Name}",
        PeerKind.Avx2 => $"**ours**, x64-avx2: {row.Name}",
        _ => row.Name,
    };

    private static string Named(string what, IReadOnlyCollection<string> models) => $"{what}: {(models.Count == 0 ? "none" : string.Join("; ", models))}";

    private static double Mean(IReadOnlyCollection<double> ratios) => ratios.Count == 0 ? double.NaN : Math.Exp(ratios.Average(Math.Log));

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
