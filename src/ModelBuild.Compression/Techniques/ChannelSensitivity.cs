using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// What the answers lose for what layers lose that read channels: some channels of each group by themselves are taken out and the model is run. Layers whose
/// errors reach the answers undamped, mostly the last ones, are so told from those behind which much is averaged away.
/// </summary>
internal static class ChannelSensitivity
{
    // What all runs may take, in predicted nanoseconds, and on how many samples each is.
    private const double TimeOfRuns = 4e9;
    private const int LeastSamples = 4, MostSamples = 32;

    /// <summary>Noise of the answers for what readers lose, by group; groups of which nothing is known have none.</summary>
    /// <param name="model">The model. Not changed.</param>
    /// <param name="orders">The groups.</param>
    /// <param name="trials">Runs models against the original.</param>
    /// <param name="time">Predicted nanoseconds of a call.</param>
    public static IReadOnlyDictionary<ChannelGroup, double> Of(Model model, IReadOnlyCollection<ChannelOrder> orders, Trials trials, double time)
    {
        var found = new Dictionary<ChannelGroup, double>();
        var work = model.Clone();
        var nodes = work.Nodes.Where(static n => n.Key.Length > 0).ToDictionary(static n => n.Key, StringComparer.Ordinal);
        // Samples that nothing was fitted to.
        int[] unseen = [.. Enumerable.Range(0, trials.Samples).Where(LackingRows.IsHeldOut)];
        if (unseen.Length == 0)
            return found;
        var samples = Trials.Spread(unseen, (int)Math.Clamp(TimeOfRuns / Math.Max(1, time * orders.Count), LeastSamples, MostSamples));
        using var options = OnnxRuntimeRunner.Options(1);
        foreach (var (group, _, trial) in orders)
        {
            if (trial is not { Lost: > 0, Readers.Count: > 0 })
                continue;
            var before = new List<(Node Node, Value?[] Inputs)>();
            foreach (var reader in trial.Readers)
            {
                var node = nodes[reader.Key];
                before.Add((node, [.. node.Inputs]));
                if (reader.Shift is { } shift)
                {
                    var place = BiasPlace.Of(node)!;
                    before.AddRange(node.Output.Uses.Select(static u => (u.Node, (Value?[])[.. u.Node.Inputs])));
                    place.Set(place.Corrected(shift));
                }
                node.SetInput(reader.Input, node.Graph.AddInitializer(node.Inputs[reader.Input]!.Name, reader.Weights));
            }
            using (var runner = new OnnxRuntimeRunner(work, options))
                if (trials.Run(runner, samples).Noise.Sum() is var noise && double.IsFinite(noise))
                    found.Add(group, noise / trial.Lost);
            foreach (var (node, inputs) in before.AsEnumerable().Reverse())
                for (var i = 0; i < inputs.Length; i++)
                    node.SetInput(i, inputs[i]);
            // What was put in would be written with every further trial.
            Sweep.Run(work);
        }
        return found;
    }
}
