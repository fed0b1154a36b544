using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Profiles;

namespace ModelBuild.Compression.Planning;

/// <summary>A candidate as one profile sees it.</summary>
/// <param name="Candidate">The candidate.</param>
/// <param name="Latency">Predicted nanoseconds of one call.</param>
/// <param name="LatencyRatio">Predicted time over the original's.</param>
/// <param name="Accepted">Whether it is within budget and limits.</param>
/// <param name="Why">Why it was accepted, rejected or passed over.</param>
public sealed record RankedCandidate(Candidate Candidate, double Latency, double LatencyRatio, bool Accepted, string Why);

/// <summary>A candidate judged on the report part.</summary>
/// <param name="Candidate">The candidate.</param>
/// <param name="Held">Whether it is within budget there.</param>
/// <param name="Why">Why not; <c>held</c> where it is.</param>
public sealed record Look(Candidate Candidate, bool Held, string Why);

/// <summary>What was chosen for one profile.</summary>
/// <param name="Profile">The profile.</param>
/// <param name="Chosen">The candidate that ships.</param>
/// <param name="Candidates">All candidates, best first.</param>
/// <param name="Failures">Candidates that did not come about.</param>
/// <param name="Costs">The cost table.</param>
/// <param name="Findings">What the user should know.</param>
public sealed record ProfileOutcome(HardwareProfile Profile, RankedCandidate Chosen, IReadOnlyList<RankedCandidate> Candidates,
    IReadOnlyList<FailedRecipe> Failures, CostTable Costs, IReadOnlyList<Finding> Findings)
{
    /// <summary>Whether a candidate was struck because it measured slower than the original on this machine: such an outcome is no property of the model alone,
    /// and is not kept.</summary>
    public bool WasVetoed { get; init; }

    /// <summary>The lossy candidates that were judged on the report part, in order: at most three.</summary>
    public IReadOnlyList<Look> Looks { get; init; } = [];
}
