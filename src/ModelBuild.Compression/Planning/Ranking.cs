namespace ModelBuild.Compression.Planning;

/// <summary>Puts candidates in the order in which they are preferred.</summary>
public static class Ranking
{
    /// <summary>Predictions nearer to each other than this count as equal: they are no better than that.</summary>
    private const double SameLatency = 1.02;

    /// <summary>Sizes nearer to each other than this count as equal.</summary>
    private const double SameSize = 1.02;

    /// <summary>Orders candidates, best first. Accepted or not: the order says what would be preferred.</summary>
    public static List<RankedCandidate> Order(IReadOnlyList<RankedCandidate> candidates, Objective objective, long originalBytes)
    {
        var usable = candidates.Where(c => c.Candidate.Failure is null).ToList();
        var order = new List<RankedCandidate>();
        while (usable.Count > 0)
        {
            var next = Best(usable, objective, originalBytes);
            order.Add(next);
            usable.Remove(next);
        }
        order.AddRange(candidates.Where(c => c.Candidate.Failure is not null));
        return order;
    }

    private static RankedCandidate Best(List<RankedCandidate> candidates, Objective objective, long originalBytes)
    {
        var leastLatency = candidates.Min(c => c.Latency);
        var leastSize = candidates.Min(c => (double)c.Candidate.Bytes.Length);
        return objective switch
        {
            Objective.Latency => candidates.Where(c => c.Latency <= leastLatency * SameLatency).OrderBy(c => c.Candidate.Bytes.Length).ThenBy(c => c.Latency).First(),
            Objective.Size => candidates.Where(c => c.Candidate.Bytes.Length <= leastSize * SameSize).OrderBy(c => c.Latency).ThenBy(c => c.Candidate.Bytes.Length).First(),
            _ => candidates.OrderBy(c => c.LatencyRatio * c.Candidate.Bytes.Length / originalBytes ).First(),
        };
    }
}
