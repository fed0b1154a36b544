using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>Gives histograms of tensors of a model by name.</summary>
/// <param name="model">The model, as the steps of <paramref name="chain"/> left it.</param>
/// <param name="chain">What stands for that model: equal chains are equal models, so that what was gathered once is known.</param>
/// <param name="names">The tensors.</param>
public delegate IReadOnlyDictionary<string, RangeHistogram> Statistics(Model model, string chain, IReadOnlyCollection<string> names);

/// <summary>
/// Plans recipes step by step, each on the model that the steps before it left, and applies plans. A plan is the trace of a recipe: applied to the simplified
/// model it gives the same bytes, without data, on any machine.
/// </summary>
/// <param name="techniques">The known techniques.</param>
/// <param name="simplified">The simplified model, types inferred. Never changed.</param>
/// <param name="statistics">Gives histograms, or null without data.</param>
/// <param name="asWritten">The simplified model in the operator set of the file; null, or the same, where it needs no newer one.</param>
/// <param name="layers">What layers are repaired by, or null without data.</param>
/// <param name="trials">Runs what steps think of against the original, or null without data.</param>
/// <param name="common">What things cost for steps that are the same for all targets, so that they do not go by the target that is planned first; null where
/// there is only one.</param>
public sealed class Pipeline(TechniqueRegistry techniques, Model simplified, Statistics? statistics, Model? asWritten = null, LayerData? layers = null,
    Trials? trials = null, ICosts? common = null)
{
    // Plans that are the same for several targets, by what stands for the model, the step, and what of the target it goes by.
    private readonly Dictionary<(string Chain, string Step, string Target), StepPlan?> _plans = [];

    /// <summary>What stands for the simplified model.</summary>
    public const string Source = "";

    /// <summary>The plan of a recipe, and the model that it makes; null where its first step has nothing to do (or needs data that is not there).</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="profile">The target.</param>
    /// <param name="costs">What things cost there.</param>
    /// <param name="floats">Nodes (by key) that must go on computing in float, with the reason; null for none.</param>
    /// <param name="exact">Nodes (by key) whose weights are not to be rounded to fewer than 16 bits; null for none.</param>
    public Planned? TryPlan(Recipe recipe, HardwareProfile profile, ICosts costs, IReadOnlyDictionary<string, string>? floats = null,
        IReadOnlyCollection<string>? exact = null)
    {
        var steps = new List<PlannedStep>();
        var (model, chain) = (simplified, Source);
        var models = new List<Model> { simplified };
        foreach (var step in recipe.Steps)
        {
            var (technique, current, known) = (techniques.Get(step.Technique), model, chain);
            StepPlan? plan = null;
            var goesBy = technique.GoesBy(profile, current);
            var target = exact is { Count: > 0 } ? null : goesBy;
            if (target is null || !_plans.TryGetValue((chain, step.ToString(), target), out plan))
                plan = technique.Plan(new()
                {
                    Model = current,
                    Profile = profile,
                    Step = step,
                    Costs = goesBy is null ? costs : common ?? costs,
                    Floats = floats ?? new Dictionary<string, string>(),
                    Exact = exact is null ? [] : exact.ToHashSet(StringComparer.Ordinal),
                    Histograms = statistics is null ? null : names => statistics(current, known, names),
                    Layers = layers is null ? null : new(new([.. models], [.. steps.Select(s => s.Plan)]), layers),
                    Trials = trials,
                });
            if (target is not null)
                _plans[(chain, step.ToString(), target)] = plan;
            if (plan is null && steps.Count == 0)
                return null;
            // A later step that finds nothing left changes nothing.
            if (plan is null)
                continue;
            plan = plan with { RestsOn = Dependencies.Of(steps, models, plan, technique.NeedsData || plan.RestsOnData) };
            steps.Add(new(step, plan));
            models.Add(model = Applied(technique, model, plan));
            chain = Plan.Chain(chain, step, technique.Write(plan));
        }
        return new(new(recipe, steps), model);
    }

    /// <summary>Applies a plan; it needs no data.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="applied">Called after each step with its number and the model that it made.</param>
    public Planned Apply(Plan plan, Action<int, Model>? applied = null) => new(plan, Apply(plan, simplified, applied));

    /// <summary>A plan without one decision.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="step">The number of the step, from 0.</param>
    /// <param name="key">The decision's name in the step.</param>
    /// <exception cref="CompressionException">MDLB2044: there is no such decision, or others rest on it; the message names them.</exception>
    public Plan Strike(Plan plan, int step, string key)
    {
        var (at, before) = plan.Steps[step];
        var id = Decision.Id(at, key);
        if (before.Decisions.All(d => d.Key != key))
            throw new CompressionException(Codes.DecisionCannotBeStruck, $"there is no decision {id} in the plan");
        List<string> dependents = [.. plan.Steps.Skip(step + 1)
            .SelectMany(s => (s.Plan.RestsOn ?? []).Where(r => r.Value.Contains(id)).Select(r => Decision.Id(s.Step, r.Key)))];
        if (dependents.Count > 0)
            throw new CompressionException(Codes.DecisionCannotBeStruck,
                $"{id} cannot be struck: {string.Join(", ", dependents)} rest on it. Strike these first, or plan the recipe anew without it");
        var model = Apply(plan with { Steps = [.. plan.Steps.Take(step)] }, simplified);
        var after = before.Without(key, model);
        return plan with { Steps = [.. plan.Steps.Take(step), .. after is null ? Array.Empty<PlannedStep>() : [new(at, after with { RestsOn = Rest(after) })],
            .. plan.Steps.Skip(step + 1)] };

        SortedDictionary<string, IReadOnlyList<string>>? Rest(StepPlan left)
        {
            var names = left.Decisions.Select(d => d.Key).ToHashSet(StringComparer.Ordinal);
            var rests = new SortedDictionary<string, IReadOnlyList<string>>((left.RestsOn ?? []).Where(r => names.Contains(r.Key)).ToDictionary(),
                StringComparer.Ordinal);
            return rests.Count == 0 ? null : rests;
        }
    }

    /// <summary>What a plan does before anything leaves floats.</summary>
    public Planned InFloat(Plan plan)
    {
        var last = plan.Steps.ToList().FindLastIndex(s => techniques.Get(s.Step.Technique).NeedsFloats);
        var repairs = last < 0 ? 0 : plan.Steps.Skip(last + 1).TakeWhile(s => techniques.Get(s.Step.Technique).Repairs).Count();
        return Apply(plan with { Steps = [.. plan.Steps.Take(last + 1 + repairs)] });
    }

    /// <summary>The layers with weights that a plan lets compute otherwise than the original's, by key in the simplified model: those that planning can leave
    /// in float.</summary>
    public IReadOnlyList<string> ArithmeticOf(Plan plan) =>
        [.. plan.Steps.Where(IsArithmetic).SelectMany(s => s.Plan.Decisions.Select(d => d.Key)).Distinct()];

    /// <summary>What a plan's arithmetic does to one layer, all others and all steps that do not change floats left out.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="floats">What it does before anything leaves floats: <see cref="InFloat"/>.</param>
    /// <param name="layer">One of <see cref="ArithmeticOf"/>.</param>
    public Planned Alone(Plan plan, Planned floats, string layer)
    {
        var (step, all) = plan.Steps.First(s => IsArithmetic(s) && s.Plan.Decisions.Any(d => d.Key == layer));
        var alone = all;
        foreach (var other in all.Decisions.Where(d => d.Key != layer).ToList())
            alone = alone.Without(other.Key, floats.Model)!;
        return new(plan with { Steps = [.. floats.Plan.Steps, new(step, alone)] }, Applied(techniques.Get(step.Technique), floats.Model, alone));
    }

    private bool IsArithmetic(PlannedStep step) =>
        step.Plan.ChangesArithmetic && techniques.Get(step.Step.Technique) is { Repairs: false, NeedsFloats: false };

    /// <summary>The model of a plan as a backend wants it: in the operator set of the file, where it prefers that and all steps leave it as it is.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="planned">The plan, and what it makes of the simplified model.</param>
    public Model FormFor(CompilerBackend backend, Planned planned) =>
        !backend.PrefersFileOperatorSet || asWritten is null || ReferenceEquals(asWritten, simplified)
            || !planned.Plan.Steps.All(s => techniques.Get(s.Step.Technique).KeepsOperatorSet)
            ? planned.Model : Apply(planned.Plan, asWritten);

    private Model Apply(Plan plan, Model source, Action<int, Model>? applied = null)
    {
        var model = source;
        for (var i = 0; i < plan.Steps.Count; i++)
        {
            model = Applied(techniques.Get(plan.Steps[i].Step.Technique), model, plan.Steps[i].Plan);
            applied?.Invoke(i, model);
        }
        return model;
    }

    private static Model Applied(ITechnique technique, Model model, StepPlan plan)
    {
        var copy = model.Clone();
        technique.Apply(copy, plan);
        return copy;
    }
}

/// <summary>A plan, and the model that it makes.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Model">The model; not to be changed.</param>
public sealed record Planned(Plan Plan, Model Model);
