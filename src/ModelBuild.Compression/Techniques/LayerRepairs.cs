using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>What repairs layer by layer are planned with: the models that the steps before made, and the calibration part.</summary>
/// <param name="lineage">The source model and those after each step; the last one is the model that the step is planned on.</param>
/// <param name="data">The calibration part, and what a walk may take.</param>
public sealed class LayerRepairs(Lineage lineage, LayerData data)
{
    /// <summary>How many samples the calibration part has.</summary>
    public int Samples => data.Data.Count;

    /// <summary>Where a value of the model comes from, in the source (step 0) or in the model after the k-th step; null where it is new.</summary>
    public Provenance? ProvenanceOf(Value value, int step = 0) => lineage.Of(value, step);

    /// <summary>The layers among some nodes of the model at which a walk can stop and whose outputs have a provenance, with it as target.</summary>
    /// <param name="nodes">Nodes of the model.</param>
    /// <param name="step">Where the targets are: 0 for the source, k for the model after the k-th step.</param>
    public IReadOnlyList<LayerTarget> TargetsOf(IEnumerable<Node> nodes, int step = 0) =>
        [.. nodes.Where(LayerWalk.CanStopAt).Select(n => (n.Key, Target: lineage.Of(n.Output, step))).Where(t => t.Target is not null)
            .Select(t => new LayerTarget(t.Key, t.Target!))];

    /// <summary>Shows what layers of the model read, as it is.</summary>
    /// <param name="nodes">Nodes of the model.</param>
    /// <param name="visit">Called at each at which a walk can stop.</param>
    public void Observe(IEnumerable<Node> nodes, Action<LayerVisit> visit)
    {
        var own = lineage.Models.Count - 1;
        Walk(TargetsOf(nodes, own), visit, own);
    }

    /// <summary>Walks a copy of the model layer by layer.</summary>
    /// <param name="targets">The layers to stop at, with their targets.</param>
    /// <param name="visit">Called at each; it may change the layer's constants.</param>
    /// <param name="step">Where the targets are: 0 for the source, k for the model after the k-th step.</param>
    /// <param name="samples">Which samples of the calibration part; null for all. What they are not may serve to judge by.</param>
    public LayerWalkResult Walk(IReadOnlyCollection<LayerTarget> targets, Action<LayerVisit> visit, int step = 0, IReadOnlyList<int>? samples = null) =>
        LayerWalk.Run(lineage.Models[step], lineage.Models[^1], samples is null ? data.Data : data.Data.Subset(samples), targets, visit, data.Options,
            data.Cancellation);
}
