using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Reporting;

/// <summary>Makes the report of an outcome.</summary>
public static class ReportBuilder
{
    /// <summary>The report of one profile's outcome.</summary>
    /// <param name="compressor">What made the outcome.</param>
    /// <param name="outcome">The outcome.</param>
    /// <param name="timings">Seconds by step.</param>
    /// <param name="toolVersion">The version of the compiler.</param>
    public static CompressionReport Build(Compressor compressor, ProfileOutcome outcome, IReadOnlyDictionary<string, double> timings, string toolVersion)
    {
        var source = compressor.Source;
        var chosen = outcome.Chosen.Candidate;
        var judged = chosen.Report ?? chosen.Choose;
        var model = source.Simplified is not null && !chosen.IsOriginal ? source.Simplified : source.Original;
        var reached = new ReachedWork(model, compressor.TypicalDimensions);
        return new()
        {
            Model = Path.GetFileName(source.Path),
            Profile = outcome.Profile.Name,
            Source = new(source.Artifact.Length, source.Artifact.Sha256),
            Artifact = new(chosen.Artifact.Length, chosen.Artifact.Sha256, chosen.Backend),
            Metric = judged is null ? null : Facts(judged.Deciding),
            Metrics = judged?.All ?? [],
            MetricWhy = compressor.Selection?.Why,
            Budget = compressor.Selection?.Budget,
            NoiseFloor = compressor.NoiseFloor is { } floor ? new(floor.Output, floor.Compressed, floor.Samples) : null,
            Technique = chosen.Recipe,
            What = PlainWords.Of(chosen, compressor.Techniques),
            Latency = new(outcome.Chosen.Latency, outcome.Chosen.LatencyRatio, outcome.Costs.Kind, $"{outcome.Costs.CpuClass} {outcome.Costs.Version}"),
            Data = compressor.Data.Description,
            Verification = CpuFeatureDetection.HasIntegerDotProduct ? "native" : "emulated",
            HostClass = CpuFeatureDetection.Class,
            Unverified = judged is null,
            Candidates = [.. outcome.Candidates.Select(r => new CandidateFacts(r.Candidate.Recipe, r.Candidate.Backend, r.Candidate.Artifact.Length,
                r.Candidate.Artifact.Sha256,
                (r.Candidate.Report ?? r.Candidate.Choose) is { } e ? Facts(e.Deciding) : null, r.LatencyRatio, r.Accepted, r.Why, r.Candidate.IsOriginal
                    || r.Candidate.WasRun)),
                .. outcome.Failures.Select(f => new CandidateFacts(f.Recipe, f.Backend, 0, "", null, double.PositiveInfinity, false, f.Why, false))],
            Looks = [.. outcome.Looks.Select(l => new LookFacts(l.Candidate.Recipe, l.Candidate.Backend, l.Candidate.Report?.Deciding.Loss, l.Held, l.Why))],
            Steps = Steps(chosen, reached),
            Layers = Layers(model, chosen, reached),
            Findings = [.. outcome.Findings.Select(f => new FindingFacts(f.Severity.ToString().ToLowerInvariant(), f.Code, f.Text))],
            Timings = timings,
            ToolVersion = toolVersion,
        };
    }

    internal static MetricFacts Facts(MetricResult r) => new(r.Metric, r.Output, r.Original, r.Compressed, r.Loss, r.LossLow, r.LossHigh, r.Samples);

    private static List<StepFacts> Steps(Candidate chosen, ReachedWork reached) => [.. (chosen.Plan?.Steps ?? []).Select(s =>
    {
        var keys = s.Plan.Changes.Select(c => c.Layer.Key).Distinct(StringComparer.Ordinal).ToList();
        return new StepFacts(s.Step.ToString(), keys.Count, reached.MultiplyAdds(keys), reached.WeightBytes(keys), s.Plan.ComputesIntegers);
    })];

    private static List<LayerFacts> Layers(Model model, Candidate chosen, ReachedWork reached)
    {
        var changes = (chosen.Plan?.Changes ?? []).GroupBy(c => c.Change.Layer.Key, StringComparer.Ordinal)
            .ToDictionary(c => c.Key, c => c.ToList(), StringComparer.Ordinal);
        var integers = (chosen.Plan?.Steps ?? []).Where(s => s.Plan.ComputesIntegers).ToList();
        var inIntegers = integers.SelectMany(s => s.Plan.Changes).Select(c => c.Layer.Key).ToHashSet(StringComparer.Ordinal);
        return [.. model.Nodes.Where(n => n.Outputs.Count > 0).Select(n =>
        {
            var done = changes.GetValueOrDefault(n.Key) ?? [];
            var bits = done.Select(d => d.Change.Bits).LastOrDefault(b => b is not null)
                ?? (n.Inputs.Skip(1).Any(i => i?.Constant is { ElementType: ElementType.Float, Rank: >= 2 }) ? 32 : null as int?);
            var multiplyAdds = reached.MultiplyAdds([n.Key]);
            var arithmetic = multiplyAdds == 0 ? null : inIntegers.Contains(n.Key) ? LayerFacts.Integer : LayerFacts.Float;
            var why = arithmetic == LayerFacts.Float ? WhyFloat(n, chosen, integers, done.Count > 0) : chosen.Plan?.WhyKept(n.Key)
                ?? (done.Count > 0 || bits is null ? null : WhyNothing(chosen));
            return new LayerFacts(n.DisplayName, n.OpType, done.Count == 0 ? "float32" : string.Join('+', done.Select(d => d.Technique)), bits, null, null,
                done.Select(d => d.Change.Error).LastOrDefault(e => e is not null), why, n.Sources)
            {
                Arithmetic = arithmetic,
                MultiplyAdds = multiplyAdds,
                WeightBytes = reached.WeightBytes([n.Key]),
            };
        })];
    }

    /// <summary>Why a layer multiplies floats: what the steps say that compute in integers, before what others do.</summary>
    private static string WhyFloat(Node node, Candidate chosen, IReadOnlyList<PlannedStep> integers, bool isChanged) =>
        integers.Select(s => s.Plan.Kept.GetValueOrDefault(node.Key)).FirstOrDefault(why => why is not null)
        ?? chosen.Floats.GetValueOrDefault(node.Key)
        ?? (isChanged ? null : chosen.Plan?.WhyKept(node.Key))
        ?? (integers.Count == 0 && isChanged ? "no step of the recipe computes in integers" : WhyNothing(chosen));

    private static string WhyNothing(Candidate chosen) => chosen.IsLossless ? "no candidate that compresses it ships" : "no step of the recipe takes it";
}
