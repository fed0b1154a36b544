using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>What a backend makes of the candidates of one model, and where that differs from what the plan meant.</summary>
public interface IPlacement
{
    /// <summary>Looks at a candidate.</summary>
    /// <param name="model">The model that was written.</param>
    /// <param name="artifact">What was written of it.</param>
    Placement Of(Model model, Artifact artifact);
}

/// <summary>Where a backend runs a candidate otherwise than its plan meant.</summary>
/// <param name="Misplaced">Nodes (by <see cref="Node.Id"/>) that have no integer kernel where they stand.</param>
/// <param name="Why">What to say of them.</param>
/// <param name="Failure">Why the candidate is slower than it looks whatever else is done; null where it is not.</param>
public sealed record Placement(IReadOnlySet<int> Misplaced, string Why, string? Failure)
{
    /// <summary>All runs as planned.</summary>
    public static Placement AsPlanned { get; } = new(new HashSet<int>(), "", null);
}
