using ModelBuild.Compression.Backends;

namespace ModelBuild.Compression.Planning;

/// <summary>Puts candidates in the order in which they are preferred.</summary>
public static class Ranking
{
    /// <summary>Predictions nearer to each other than this count as equal: they are no better than that.</summary>
    private const double SameLatency = 1.02;

    /// <summary>Sizes nearer to each other than this count as equal.</summary>
    private const double SameSize = 1.02;

    /// <summary>What is minimized: predicted nanoseconds, bytes, or their product.</summary>
    public static double Cost(RankedCandidate c, Objective objective) => objective switch
    {
        Objective.Latency => Cautious(c),
        Objective.Size => c.Candidate.Artifact.Length,
        _ => Cautious(c) * c.Candidate.Artifact.Length,
    };

    private static double Cautious(RankedCandidate c) =>
        c.Latency * CompilerBackends.Get(c.Candidate.Backend).Caution(c.Candidate.Plan);

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

    /// <summary>Whether weights have so few bits that the answers pay for the size: not worth it where only time counts.</summary>
    private static bool IsCoarse(RankedCandidate c) => c.Candidate.Plan is { } plan && plan.Changes.Any(static l => l.Change.Bits <= 4);

    /// <summary>Whether it changes no weight or answer: where nothing is gained, nothing is lost either.</summary>
    private static bool IsExact(RankedCandidate c) => c.Candidate.Plan is not { } plan || !plan.Changes.Any();

    private static RankedCandidate Smallest(List<RankedCandidate> equals)
    {
        var fine = equals.Where(c => !IsCoarse(c)).ToList();
        var left = fine.Count > 0 ? fine : equals;
        var least = left.Min(c => (double)c.Candidate.Artifact.Length);
        return left.OrderBy(c => c.Candidate.Artifact.Length > least * SameSize).ThenBy(c => !IsExact(c)).ThenBy(c => c.Candidate.Artifact.Length)
            .ThenBy(Cautious).First();
    }

    private static RankedCandidate Best(List<RankedCandidate> candidates, Objective objective)
    {
        var leastLatency = candidates.Min(Cautious);
        var leastSize = candidates.Min(c => (double)c.Candidate.Artifact.Length);
        return objective switch
        {
            Objective.Latency => Smallest([.. candidates.Where(c => Cautious(c) <= leastLatency * SameLatency)]),
            Objective.Size => candidates.Where(c => c.Candidate.Artifact.Length <= leastSize * SameSize).OrderBy(Cautious)
                .ThenBy(c => c.Candidate.Artifact.Length).First(),
            _ => candidates.OrderBy(c => Cost(c, objective)).First(),
        };
    }
}
