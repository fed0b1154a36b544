using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// Walks two models side by side, layer by layer, in the order of the changed one: at each layer stands what it reads in the changed model, and what the
/// original gives in its place. A repair may change the layer before the walk goes on, so that later layers read what the repaired ones give (sequential bias
/// correction, Nagel et al., Data-Free Quantization, 2019; AdaRound, 2020). Each model is run once, and each layer once more to see what it gave before its
/// repair: about three forward passes in all. Between two layers, only what is still to be read is kept.
/// </summary>
public static class LayerWalk
{
    /// <summary>Walks.</summary>
    /// <param name="original">The model with the targets.</param>
    /// <param name="changed">The changed model, which has the same inputs. A copy of it is walked.</param>
    /// <param name="data">The samples.</param>
    /// <param name="targets">The layers to stop at, in any order, each once.</param>
    /// <param name="visit">Called at each layer, in the changed model's order.</param>
    /// <param name="options">Bounds; null for the usual ones.</param>
    /// <param name="cancellation">Stops the walk.</param>
    /// <returns>The changed model with what was changed on the way.</returns>
    /// <exception cref="ArgumentException">A layer or a target is not in its model's main graph, or follows from constants alone.</exception>
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
        var (fixedThere, fixedHere) = (StagedModel.Constants(original, fed), StagedModel.Constants(work, fed));
        var stops = Stops(original, fixedThere, work, fixedHere, targets);
        using var store = new ActivationStore(options.MemoryBound, options.DiskBound);
        var source = new StagedModel(original, [.. stops.Select(s => (IReadOnlyCollection<string>)[s.Target.Value])], fed, fixedThere, store, 0);
        var walked = new StagedModel(work, [.. stops.Select(s => s.Inputs)], fed, fixedHere, store, 1);
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
            visit(new(stop.Node, samples.Count, () => Pairs(stop, source, walked, samples, options.Threads, cancellation)));
            source.Leave(stage, samples.Count);
            walked.Leave(stage, samples.Count);
            foreach (var input in inputs.Where(i => Math.Max(source.LastRead(i), walked.LastRead(i)) == stage))
                for (var i = 0; i < samples.Count; i++)
                    store.Free(source.IdOf(input), i);
            options.Progress?.Invoke(stage + 1, stops.Count);
        }
        return new(work, samples.Count, store.PeakMemory, store.PeakDisk);
    }

    private static IEnumerable<LayerPair> Pairs(Stop stop, StagedModel source, StagedModel walked, SampleSet samples, int threads,
        CancellationToken cancellation)
    {
        var output = stop.Node.Key;
        var open = true;
        using var runner = walked.Open(walked.Read(stop.Inputs, 0), [output], threads);
        try
        {
            for (var i = 0; i < samples.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = walked.Read(stop.Inputs, i);
                yield return new(samples[i], [.. stop.Node.Inputs.Select(v => v is null ? null : read.GetValueOrDefault(v.Name))],
                    stop.Target.Of(source.Get(stop.Target.Value, i)), () =>
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

    private static List<Stop> Stops(Model original, HashSet<Value> fixedThere, Model work, HashSet<Value> fixedHere, IReadOnlyCollection<LayerTarget> targets)
    {
        var byLayer = targets.ToDictionary(t => t.Layer, StringComparer.Ordinal);
        var stops = new List<Stop>();
        foreach (var node in work.Graph.Nodes)
        {
            if (!byLayer.Remove(node.Key, out var target))
                continue;
            if (original.Graph.Find(target.Target.Value) is not { } value || fixedThere.Contains(value))
                throw new ArgumentException($"'{target.Target.Value}' is no activation of the model with the targets", nameof(targets));
            // What bodies capture is read by the node as well.
            var inputs = Graph.Dependencies(node).Where(v => ReferenceEquals(v.Graph, work.Graph) && !fixedHere.Contains(v)).Select(v => v.Name)
                .ToHashSet(StringComparer.Ordinal);
            if (inputs.Count == 0)
                throw new ArgumentException($"'{node.Key}' follows from constants alone", nameof(targets));
            stops.Add(new(node, inputs, target.Target));
        }
        return byLayer.Count == 0 ? stops : throw new ArgumentException($"'{byLayer.Keys.First()}' is no layer of the changed model", nameof(targets));
    }

    /// <summary>A layer to stop at.</summary>
    /// <param name="Node">The layer in the copy that is walked.</param>
    /// <param name="Inputs">The activations that it reads.</param>
    /// <param name="Target">What it should give.</param>
    private sealed record Stop(Node Node, IReadOnlyCollection<string> Inputs, Provenance Target);
}
