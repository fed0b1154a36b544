namespace ModelBuild;

/// <summary>Another profile runs than the best one that this CPU admits.</summary>
/// <param name="WantedProfile">The best profile that this CPU admits.</param>
/// <param name="TakenProfile">The profile that runs.</param>
/// <param name="Reason">Why, and what would change it.</param>
public sealed record ModelFallback(string WantedProfile, string TakenProfile, string Reason);
