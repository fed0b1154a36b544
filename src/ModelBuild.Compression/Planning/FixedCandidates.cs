using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Planning;

/// <summary>The recipes that are tried whatever the others give: the item's, or for <c>auto</c> those that the techniques offer for any model.</summary>
/// <param name="techniques">The known techniques.</param>
/// <param name="technique">The item's <c>Technique</c>.</param>
/// <param name="proves">Whether there is data that proves what a candidate answers.</param>
/// <param name="objective">What is preferred.</param>
/// <param name="rewrites">Whether even an untouched model has to be rewritten.</param>
public sealed class FixedCandidates(TechniqueRegistry techniques, string technique, bool proves, Objective objective, bool rewrites) : ICandidateSource
{
    /// <inheritdoc/>
    public IEnumerable<Recipe> Recipes(IReadOnlyList<Candidate> made, Action<Candidate> run) => technique switch
    {
        "none" => rewrites ? [Recipe.Simplify] : [],
        "auto" => [Recipe.Simplify, .. techniques.All.SelectMany(Offered)],
        _ => [Recipe.Simplify, Recipe.Parse(technique)],
    };

    private IEnumerable<Recipe> Offered(ITechnique offering) =>
        from offer in offering.Offers
        where (proves || !offer.NeedsProof) && !(offer.ForSize && objective == Objective.Latency)
        let rest = offer.RestBits is { } bits ? techniques.All.FirstOrDefault(t => t.StoredBits == bits) : null
        let step = new RecipeStep(offering.Name, offer.Arguments)
        select new Recipe(rest is null ? [step] : [step, new(rest.Name, [])]);
}
