using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// Walks two models side by side, layer by layer, in the order of the changed one: at each layer stands what it reads in the changed model, and what the
/// original gives in its place. A repair may change the layer before the walk goes on, so that later layers read what the repaired ones give (sequential bias
/// correction, Nagel et al., Data-Free Quantization, 2019; AdaRound, 2020). Each model is run once, and each layer once more to see what it gave before its
/// repair: about three forward passes in all. Between two layers, only what is still to be read is kept. Branches of If are walked like the main graph, with
/// the samples that come there; in the bodies of Loop and Scan, where each turn reads what the one before has left, layers stand in no order.
/// </summary>
public static class LayerWalk
{
    /// <summary>Walks.</summary>
    /// <param name="original">The model with the targets.</param>
    /// <param name="changed">The changed model, which has the same inputs. A copy of it is walked.</param>
    /// <param name="data">The samples.</param>
    /// <param name="targets">The layers to stop at, in any order, each once.</param>
    /// <param name="visit">Called at each layer that a sample comes to, in the changed model's order.</param>
    /// <param name="options">Bounds; null for the usual ones.</param>
    /// <param name="cancellation">Stops the walk.</param>
    /// <returns>The changed model with what was changed on the way.</returns>
    /// <exception cref="ArgumentException">A layer or a target is not in its model, stands in a body where none is walked (<see cref="CanStopAt"/>), or
    /// follows from constants alone.</exception>
    /// <exception cref="CompressionException">MDLB1120, MDLB1121: ONNX Runtime refuses a model, or fails to run it.</exception>
    public static LayerWalkResult Run(Model original, Model changed, Dataset data, IReadOnlyCollection<LayerTarget> targets, Action<LayerVisit> visit,
        LayerWalkOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        var work = changed.Clone();
        if (targets.Count == 0 || data.Count == 0)
            return new(work, data.Count, 0, 0);
        var samples = new SampleSet(data.Count);
        var fed = data[samples[0]].Inputs.Keys.ToHashSet(StringComparer.Ordinal);
        var there = new UnfoldedBranches(original, [.. targets.Select(t => t.Target.Value)]);
        string[] layers = [.. targets.Select(t => t.Layer)];
        var here = new UnfoldedBranches(work, layers);
        var (fixedThere, fixedHere) = (StagedModel.Constants(there.Model, fed), StagedModel.Constants(here.Model, fed));
        var stops = Stops(there, fixedThere, work, here, fixedHere, targets);
        using var store = new ActivationStore(options.MemoryBound, options.DiskBound);
        var source = new StagedModel(() => there.Model, [.. stops.Select(s => (IReadOnlyCollection<string>)[s.Target])], fed, fixedThere, store, 0);
        // Where no branch is looked into, there is nothing to unfold.
        var isFlat = stops.TrueForAll(static s => s.Node.Graph.Owner is null);
        var walked = new StagedModel(() => isFlat ? work : new UnfoldedBranches(work, layers).Model, [.. stops.Select(s => s.Inputs)], fed, fixedHere, store,
            1);
        var inputs = source.Inputs.Union(walked.Inputs, StringComparer.Ordinal).ToList();
        foreach (var input in inputs)
            walked.Share(input, source.IdOf(input));
        for (var i = 0; i < samples.Count; i++)
        {
            var sample = data[samples[i]].Inputs;
            foreach (var input in inputs)
                samples.Put(store, source.IdOf(input), i, sample[input]);
        }

        for (var stage = 0; stage < stops.Count; stage++)
        {
            source.Run(stage, samples, options.Threads, cancellation);
            walked.Run(stage, samples, options.Threads, cancellation);
            var stop = stops[stage];
            int[] come = [.. Enumerable.Range(0, samples.Count).Where(i => Comes(stop, source, walked, i))];
            if (come.Length > 0)
                visit(new(stop.Node, come.Length, () => Pairs(stop, source, walked, samples, come, options.Threads, cancellation)));
            source.Leave(stage, samples.Count);
            walked.Leave(stage, samples.Count);
            foreach (var input in inputs.Where(i => Math.Max(source.LastRead(i), walked.LastRead(i)) == stage))
                for (var i = 0; i < samples.Count; i++)
                    store.Free(source.IdOf(input), i);
            options.Progress?.Invoke(stage + 1, stops.Count);
        }
        return new(work, samples.Count, store.PeakMemory, store.PeakDisk);
    }

    /// <summary>Whether a sample takes, in both models, the branch that a layer stands in.</summary>
    private static bool Comes(Stop stop, StagedModel source, StagedModel walked, int sample) =>
        // A branch that the original does not take gives an empty target.
        (stop.Node.Graph.Owner is null || source.Get(stop.Target, sample).Length > 0)
            && (stop.TakenHere is null || IsTrue(walked.Get(stop.TakenHere, sample)));

    private static bool IsTrue(Tensor taken) => taken.Length > 0 && taken.Span<bool>()[0];

    private static IEnumerable<LayerPair> Pairs(Stop stop, StagedModel source, StagedModel walked, SampleSet samples, int[] come, int threads,
        CancellationToken cancellation)
    {
        var output = stop.Output;
        var open = true;
        using var runner = walked.Open(walked.Read(stop.Inputs, 0), [output], threads);
        try
        {
            foreach (var i in come)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = walked.Read(stop.Inputs, i);
                yield return new(samples[i], [.. stop.Reads.Select(name => name is null ? null : read.GetValueOrDefault(name))],
                    stop.Provenance.Of(source.Get(stop.Target, i)), () =>
                {
                    ObjectDisposedException.ThrowIf(!open, typeof(LayerVisit));
                    return runner.Run(read)[output];
                });
            }
        }
        finally
        {
            open = false;
        }
    }

    /// <summary>Whether a walk can stop at a node: it has a single place in the order, and so have all bodies around it.</summary>
    public static bool CanStopAt(Node node) => UnfoldedBranches.IsReached(node.Graph);

    private static List<Stop> Stops(UnfoldedBranches there, HashSet<string> fixedThere, Model work, UnfoldedBranches here, HashSet<string> fixedHere,
        IReadOnlyCollection<LayerTarget> targets)
    {
        var byLayer = targets.ToDictionary(t => t.Layer, StringComparer.Ordinal);
        var nodes = work.Nodes.Where(n => byLayer.ContainsKey(n.Key)).ToDictionary(n => n.Key, StringComparer.Ordinal);
        if (byLayer.Keys.FirstOrDefault(l => !nodes.ContainsKey(l)) is { } missing)
            throw new ArgumentException($"'{missing}' is no layer of the changed model", nameof(targets));
        var unfolded = nodes.Values.ToDictionary(n => here.Find(n.Key)!.Producer!);
        var stops = new List<Stop>();
        foreach (var node in here.Model.Graph.Nodes.Where(unfolded.ContainsKey))
        {
            var layer = unfolded[node];
            var target = byLayer[layer.Key].Target;
            if (there.Find(target.Value) is not { } value || fixedThere.Contains(value.Name))
                throw new ArgumentException($"'{target.Value}' is no activation of the model with the targets", nameof(targets));
            // What bodies capture is read by the node as well.
            var inputs = Graph.Dependencies(node).Where(v => ReferenceEquals(v.Graph, here.Model.Graph) && !fixedHere.Contains(v.Name)).Select(v => v.Name)
                .ToHashSet(StringComparer.Ordinal);
            if (inputs.Count == 0)
                throw new ArgumentException($"'{layer.Key}' follows from constants alone", nameof(targets));
            // A branch that constants choose is taken by all samples or by none, and by the same ones in both models.
            var takenHere = here.Taken(layer.Key) is { } taken && !fixedHere.Contains(taken.Name) ? taken.Name : null;
            if (takenHere is not null)
                inputs.Add(takenHere);
            stops.Add(new(layer, here.Find(layer.Key)!.Name, [.. layer.Inputs.Select(v => v is null ? null : here.Find(v.Path)?.Name)], inputs, takenHere,
                value.Name, target));
        }
        return stops;
    }

    /// <summary>A layer to stop at. Values have the names of the unfolded models.</summary>
    /// <param name="Node">The layer in the copy that is walked.</param>
    /// <param name="Output">What it gives.</param>
    /// <param name="Reads">Its inputs, in the node's order.</param>
    /// <param name="Inputs">The activations that it reads, and whether its branch is taken.</param>
    /// <param name="TakenHere">Whether its branch is taken; null where it stands in none.</param>
    /// <param name="Target">The value of the original that stands for what it should give.</param>
    /// <param name="Provenance">What is left of that value.</param>
    private sealed record Stop(Node Node, string Output, IReadOnlyList<string?> Reads, IReadOnlyCollection<string> Inputs, string? TakenHere, string Target,
        Provenance Provenance);
}
