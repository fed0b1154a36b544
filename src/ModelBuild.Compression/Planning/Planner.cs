using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>Composes proposals of techniques into plans, and applies plans.</summary>
/// <param name="techniques">The known techniques.</param>
/// <param name="simplified">The simplified model, types inferred. Never changed.</param>
/// <param name="histograms">Gives histograms of tensors, or null without data.</param>
/// <param name="asWritten">The simplified model in the operator set of the file; null where that is the same.</param>
public sealed class Planner(TechniqueRegistry techniques, Model simplified, Func<IReadOnlyCollection<string>, IReadOnlyDictionary<string, RangeHistogram>>? histograms, Model? asWritten = null)
{
    /// <summary>The plan of a recipe, or null where a step of it has nothing to do (or needs data that is not there).</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="profile">The target.</param>
    /// <param name="costs">What things cost there.</param>
    /// <param name="floats">Nodes (by first output) that must go on computing in float, with the reason; null for none.</param>
    public Plan? TryPlan(Recipe recipe, HardwareProfile profile, CostModel costs, IReadOnlyDictionary<string, string>? floats = null)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var decisions = new List<Decision>();
        var tensors = new SortedDictionary<string, TensorQuantization>(StringComparer.Ordinal);
        var kept = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var step in recipe.Steps)
        {
            var technique = techniques.Get(step.Technique);
            var proposal = technique.Propose(new()
            {
                Model = simplified,
                Profile = profile,
                Step = step,
                Costs = costs,
                Excluded = taken,
                Floats = floats ?? new Dictionary<string, string>(),
                Histograms = histograms,
            });
            if (proposal.Decisions.Count == 0 && decisions.Count == 0)
                return null;
            foreach (var decision in proposal.Decisions)
            {
                taken.Add(decision.Output);
                decisions.Add(decision);
            }
            foreach (var (name, mapping) in proposal.Tensors)
                tensors[name] = mapping;
            foreach (var (output, why) in proposal.Kept)
                kept[output] = why;
        }
        var order = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in simplified.Graph.Nodes)
            order.TryAdd(node.Key, order.Count);
        decisions.Sort((a, b) => order[a.Output].CompareTo(order[b.Output]));
        return new() { Recipe = recipe.ToString(), Decisions = decisions, Tensors = tensors, Kept = kept };
    }

    /// <summary>Applies a plan to a copy of the simplified model.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="forOnnxRuntime">Whether the result is for ONNX Runtime, which may know more of the model in the operator set of the file.</param>
    public Model Apply(Plan plan, bool forOnnxRuntime = true)
    {
        var keeps = forOnnxRuntime && plan.Decisions.All(d => techniques.Get(d.Technique).KeepsOperatorSet);
        var model = (keeps ? asWritten ?? simplified : simplified).Clone();
        foreach (var technique in techniques.All)
            technique.Apply(model, plan);
        return model;
    }
}
