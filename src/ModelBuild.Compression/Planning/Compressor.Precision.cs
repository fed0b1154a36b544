using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Profiles;

namespace ModelBuild.Compression.Planning;

// Mixed precision by noise: what leaves some layers of a candidate in float, so that the rest can be integer.
public sealed partial class Compressor
{
    /// <summary>The part of the budget that layers are first searched for; then less, squared each time, as samples that were not searched on lose
    /// more.</summary>
    private const double FirstMargin = 0.8;
    private const double LastMargin = 0.3;

    /// <summary>Samples of the calibration part that layers are searched on.</summary>
    private const int FewestSearchSamples = 4;
    private const int MostSearchSamples = 32;

    /// <summary>Predicted nanoseconds that running each layer alone on all of them may take.</summary>
    private const double SearchCost = 15e9;

    private readonly Dictionary<string, Candidate?> _searched = new(StringComparer.Ordinal);

    /// <summary>
    /// A candidate that was run and is out of budget, with some of its layers left in float, by the calibration part; within budget on the part that chooses,
    /// or null.
    /// </summary>
    internal Candidate? WithLayersInFloat(Candidate candidate, HardwareProfile profile, CostTable table, List<FailedRecipe> failures)
    {
        if (candidate is not { Failure: null, Choose: { } choose, Plan: { ChangesArithmetic: true } plan } || Data.Calibrate is null)
            return null;
        var key = $"{candidate.Artifact.Sha256} {table.CpuClass}";
        if (_searched.TryGetValue(key, out var found))
            return found;
        _searched.Add(key, null);
        try
        {
            return _searched[key] = _journal.Attempt($"search {candidate.Recipe} for {candidate.Backend}, {candidate.Artifact.Sha256}",
                () => Searched(candidate, plan, choose.Deciding.Loss, profile, table));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            failures.Add(new(candidate.Recipe, candidate.Backend, $"no layers to leave in float were found: {FailedRecipe.Reason(e)}"));
            return null;
        }
    }

    private Candidate? Searched(Candidate candidate, Plan plan, double loss, HardwareProfile profile, CostTable table)
    {
        var backend = CompilerBackends.Get(candidate.Backend);
        var costs = _costs[backend].By(table);
        var layers = _pipeline!.ArithmeticOf(plan);
        if (layers.Count < 2 || SearchDataFor(layers.Count, costs.Predict(_source.Simplified!.Graph)) is not var (answers, selection))
            return null;
        double NoiseOf(Planned planned)
        {
            _cancellation.ThrowIfCancellationRequested();
            using var folder = new ArtifactFolder();
            var lowered = planned.Plan with { Lowering = plan.Lowering };
            if (backend.Write(folder, lowered, _pipeline.FormFor(backend, planned), _signatureHash, out _) is not { } artifact)
                return double.PositiveInfinity;
            using var runner = backend.Open(artifact.Path, Description, _options.Threads);
            return Evaluation.Run(answers, runner, selection, null, _cancellation).Deciding.Loss;
        }

        // What the budget is in noise follows from what this candidate loses by the metric.
        var bound = NoiseOf(new(plan, candidate.Model!)) * Selection!.Budget / loss;
        var shares = new PrecisionShares(_pipeline, plan, layers, costs, NoiseOf,
            n => _progress($"searching layers of {candidate.Recipe} to leave in float: {n} of {layers.Count} layers"));
        // Their weights are stored in few bits all the same, or else they are not rounded at all.
        var rounds = plan.Recipe.Steps.Any(s => Techniques.Get(s.Technique).StoredBits < 16);
        foreach (var isExact in rounds ? [false, true] : new[] { false })
        {
            Candidate? narrow = null;
            var recipe = isExact ? WithStoredHalves(WithPlainRepairs(plan.Recipe)) : WithPlainRepairs(plan.Recipe);
            var search = new PrecisionSearch(left =>
                _pipeline.TryPlan(recipe, profile, costs, shares.Floats(left, candidate.Floats), isExact ? left : []) is { } planned ? NoiseOf(planned) : 0);
            for (var margin = FirstMargin; margin > LastMargin; margin *= margin)
            {
                _progress($"searching layers of {candidate.Recipe} to leave in float: {shares.Order.Count} that matter");
                if (search.Find(shares.Order, bound * margin) is not { } left
                    || Make(recipe, profile, table, backend, shares.Floats(left, candidate.Floats), isExact ? left : []) is not { } made)
                    break;
                // The same bytes may be known already, from fewer layers: where costs leave the others in float anyway.
                made.LeftInFloat = [.. left.Where(made.Floats.ContainsKey)];
                Verify(made);
                if (made.Choose is not { } judged || judged.Deciding.Loss > Selection.Budget || made.Artifact.Length > (_options.MaxSize ?? long.MaxValue))
                    continue;
                // What just keeps to the budget is taken where nothing with room is found.
                if (judged.Deciding.LossHigh <= Selection.Budget)
                    return made;
                narrow ??= made;
            }
            if (narrow is not null)
                return narrow;
        }
        return null;
    }

    /// <summary>A recipe with the plainest repair in place of others, which would take long for each choice of layers; who names a recipe gets that
    /// one.</summary>
    private Recipe WithPlainRepairs(Recipe recipe) => _options.Technique == "auto" && Techniques.All.FirstOrDefault(t => t.Repairs) is { } plain
        ? recipe with { Steps = [.. recipe.Steps.Select(s => Techniques.Get(s.Technique).Repairs ? new(plain.Name, []) : s)] } : recipe;

    /// <summary>A recipe that ends by storing in 16 bits what it left unrounded; who names a recipe gets that one.</summary>
    private Recipe WithStoredHalves(Recipe recipe) =>
        _options.Technique == "auto" && Techniques.All.FirstOrDefault(t => t.StoredBits == 16) is { } halves
            && recipe.Steps.All(s => s.Technique != halves.Name)
            ? recipe with { Steps = [.. recipe.Steps.Where(s => !Techniques.Get(s.Technique).Repairs), new(halves.Name, []),
                .. recipe.Steps.Where(s => Techniques.Get(s.Technique).Repairs)] }
            : recipe;

    /// <summary>What layers are searched on: some samples of the calibration part with the original's answers, as noise of the judged outputs; null where
    /// nothing can be.</summary>
    /// <param name="layers">How many layers are run, each alone.</param>
    /// <param name="cost">Predicted nanoseconds of a call.</param>
    private (ReferenceAnswers Answers, MetricSelection Selection)? SearchDataFor(int layers, double cost)
    {
        if (Data.Calibrate is not { } data || NoiseOfOutputs() is not { } selection)
            return null;
        var count = Math.Min((int)Math.Clamp(SearchCost / (layers * cost), FewestSearchSamples, MostSearchSamples), data.Count);
        return (new(_original, data.Subset([.. Enumerable.Range(0, count).Select(i => i * data.Count / count)]), selection.Outputs), selection);
    }
}
