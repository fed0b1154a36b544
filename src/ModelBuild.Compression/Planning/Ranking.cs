namespace ModelBuild.Compression.Planning;

/// <summary>Puts candidates in the order in which they are preferred.</summary>
public static class Ranking
{
    /// <summary>Predictions nearer to each other than this count as equal: they are no better than that.</summary>
    private const double SameLatency = 1.02;

    /// <summary>Sizes nearer to each other than this count as equal.</summary>
    private const double SameSize = 1.02;

    /// <summary>
    /// Tables predict whole models within about a tenth: a candidate that computes otherwise than the original in ONNX Runtime must promise more than that to be preferred.
    /// </summary>
    private const double Uncertainty = 1.1;

    /// <summary>What is minimized: predicted nanoseconds, bytes, or their product.</summary>
    public static double Cost(RankedCandidate c, Objective objective) => objective switch
    {
        Objective.Latency => Cautious(c),
        Objective.Size => c.Candidate.Artifact.Length,
        _ => Cautious(c) * c.Candidate.Artifact.Length,
    };

    private static double Cautious(RankedCandidate c) =>
        c.Latency * (c.Candidate is { Backend: "onnxruntime", Plan.ChangesArithmetic: true } ? Uncertainty : 1);

    /// <summary>Orders candidates, best first. Accepted or not: the order says what would be preferred.</summary>
    public static List<RankedCandidate> Order(IReadOnlyList<RankedCandidate> candidates, Objective objective)
    {
        var usable = candidates.Where(c => c.Candidate.Failure is null).ToList();
        var order = new List<RankedCandidate>();
        while (usable.Count > 0)
        {
            var next = Best(usable, objective);
            order.Add(next);
            usable.Remove(next);
        }
        order.AddRange(candidates.Where(c => c.Candidate.Failure is not null));
        return order;
    }

    private static RankedCandidate Best(List<RankedCandidate> candidates, Objective objective)
    {
        var leastLatency = candidates.Min(Cautious);
        var leastSize = candidates.Min(c => (double)c.Candidate.Artifact.Length);
        return objective switch
        {
            Objective.Latency => candidates.Where(c => Cautious(c) <= leastLatency * SameLatency).OrderBy(c => c.Candidate.Artifact.Length).ThenBy(Cautious).First(),
            Objective.Size => candidates.Where(c => c.Candidate.Artifact.Length <= leastSize * SameSize).OrderBy(Cautious).ThenBy(c => c.Candidate.Artifact.Length).First(),
            _ => candidates.OrderBy(c => Cost(c, objective)).First(),
        };
    }
}
