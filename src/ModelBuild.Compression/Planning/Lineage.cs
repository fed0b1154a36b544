using ModelBuild.Compression.Calibration;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// Where the values of a model come from, through the steps that made it. A node that a step keeps has its id, so that its outputs are known even where their
/// names have moved; what a step makes anew has no provenance.
/// </summary>
/// <param name="models">The source model, and the model after each step.</param>
/// <param name="plans">The plans of the steps.</param>
public sealed class Lineage(IReadOnlyList<Model> models, IReadOnlyList<StepPlan> plans)
{
    private readonly Dictionary<int, Node>?[] _nodes = new Dictionary<int, Node>?[models.Count];

    /// <summary>The models: the source, and the one after each step.</summary>
    public IReadOnlyList<Model> Models => models;

    /// <summary>Where a value of the last model comes from; null where it is new, or what is left of it is not known.</summary>
    /// <param name="value">An activation of the last model (or of a copy of it).</param>
    /// <param name="step">Of which model the provenance is wanted: 0 for the source, k for the one after the k-th step.</param>
    public Provenance? Of(Value value, int step = 0)
    {
        var found = new Provenance(value.Path);
        var (producer, index) = (value.Producer, value.ProducerIndex);
        for (var i = models.Count - 2; i >= step; i--)
        {
            if (producer is not null)
            {
                if (!NodesOf(i).TryGetValue(producer.Id, out var before) || before.QualifiedOpType != producer.QualifiedOpType || index >= before.Outputs.Count)
                    return null;
                producer = before;
                found = found with { Value = before.Outputs[index].Path };
            }
            else if (models[i].Graph.Find(found.Value) is not { IsGraphInput: true })
            {
                return null;
            }
            foreach (var (_, axis, kept) in plans[i].Cuts.Where(c => c.Value == found.Value).ToList())
                found = found with { Kept = found.Kept.SetItem(axis, found.Kept.TryGetValue(axis, out var later) ? [.. later.Select(k => kept[k])]
                    : [.. kept]) };
        }
        return found;
    }

    private Dictionary<int, Node> NodesOf(int model) => _nodes[model] ??= models[model].Nodes.ToDictionary(n => n.Id);
}
