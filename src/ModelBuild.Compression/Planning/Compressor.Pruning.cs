using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Planning;

// Pruned forms of what could ship: the same recipe on fewer channels.
public sealed partial class Compressor
{
    /// <summary>Whoever has fewer samples learns more of them than of the model.</summary>
    private const int FewestToPrune = 8;

    /// <summary>Multiply-adds that second moments of all layers may take to gather: some seconds on one core.</summary>
    private const double MostMoments = 30e9;

    /// <summary>Predicted nanoseconds that all samples may take to run through the model once.</summary>
    private const double MostPass = 5e9;

    private readonly Dictionary<(string Sha256, string Recipe, string Target), Candidate?> _lighter = [];

    /// <summary>Whether the model may be pruned in the time that a build may take, and there is data to repair it by.</summary>
    private bool CanPrune(CostTable table)
    {
        if (Data.Calibrate is not { Count: >= FewestToPrune } data || _source.Simplified is not { } model
            || model.Nodes.Any(static n => n.OpType is "QuantizeLinear" or "DequantizeLinear"))
            return false;
        var (moments, sizes) = (0.0, new TypicalSizes(TypicalDimensions));
        foreach (var node in model.Nodes)
            if (LayerRows.Of(node) is { } rows)
                moments += GramMatrix.WorkOf(rows, (double)data.Count * sizes.Elements(node.Output) / rows.Groups / rows.Channels);
        return moments <= MostMoments && _costs[CompilerBackends.Reference].By(table).Predict(model.Graph) * data.Count <= MostPass;
    }

    /// <summary>A candidate with multiply-adds taken out first, or what is left of the original with them where that loses too much; run on the choose part.
    /// Null where none can be taken out, or the result is no candidate.</summary>
    /// <param name="candidate">The candidate.</param>
    /// <param name="technique">What takes them out.</param>
    /// <param name="share">The share of the multiply-adds that goes.</param>
    /// <param name="profile">The target.</param>
    /// <param name="table">Its costs.</param>
    /// <param name="failures">Receives what failed.</param>
    internal Candidate? Lighter(Candidate candidate, ITechnique technique, double share, HardwareProfile profile, CostTable table,
        List<FailedRecipe> failures)
    {
        if (_options.Technique != "auto" || candidate.Failure is not null)
            return null;
        var first = new Recipe([.. technique.Lighten(share)]);
        var recipe = first with { Steps = [.. first.Steps, .. candidate.Plan?.Recipe.Steps ?? []] };
        var key = (candidate.Artifact.Sha256, recipe.ToString(), $"{profile.NumericKey} {profile.CostClass}");
        if (_lighter.TryGetValue(key, out var known))
            return known;
        _lighter.Add(key, null);
        if (!CanPrune(table))
            return null;
        try
        {
            // What loses too much in float already need not be compressed further; it is the same for several targets and objectives.
            if (recipe.Steps.Count > first.Steps.Count)
            {
                if (Made(first) is not { Failure: null } floats)
                    return null;
                if (floats.Choose is { } choose && choose.Deciding.Loss > Selection!.Budget)
                    return _lighter[key] = floats;
            }
            if (Made(recipe) is { } made)
            {
                made.LeftInFloat = candidate.LeftInFloat;
                return _lighter[key] = made;
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            failures.Add(new(recipe.ToString(), candidate.Backend, FailedRecipe.Reason(e)));
        }
        return null;

        Candidate? Made(Recipe steps)
        {
            _progress($"trying {steps} for {candidate.Backend}");
            var made = _journal.Attempt($"{steps} for {candidate.Backend}, {candidate.Artifact.Sha256}",
                () => Make(steps, profile, table, CompilerBackends.Get(candidate.Backend), candidate.Floats, candidate.Exact));
            if (made is null || ReferenceEquals(made, candidate) || made.Plan!.Steps.All(s => s.Step.Technique != technique.Name))
                return null;
            Verify(made);
            return made;
        }
    }
}
