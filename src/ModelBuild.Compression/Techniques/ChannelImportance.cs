using ModelBuild.Compression.Calibration;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>By what channels are ordered.</summary>
internal enum ChannelCriterion
{
    /// <summary>By their weights alone: group norm, of all weights that count the channels those of one against the mean (Fang et al., DepGraph,
    /// 2023).</summary>
    Norm,

    /// <summary>By the power of what readers make of each, by itself: weights times activations (by channels: Sun et al., Wanda, 2024).</summary>
    Activation,

    /// <summary>By what readers lose once their other weights make up for it: what a refit will leave.</summary>
    Reconstruction,
}

/// <summary>What layers lose with channels of groups.</summary>
internal static class ChannelImportance
{
    /// <summary>Orders the channels of groups.</summary>
    /// <param name="groups">The groups, with their classes and how many of each class may go.</param>
    /// <param name="criterion">By what.</param>
    /// <param name="layers">Shows what layers read; null without data, where norms decide.</param>
    public static IReadOnlyDictionary<ChannelGroup, ChannelOrder> Order(IReadOnlyList<(ChannelGroup Group, ChannelClasses Classes, int[] Quotas)> groups,
        ChannelCriterion criterion, LayerRepairs? layers)
    {
        var orders = new Dictionary<ChannelGroup, ChannelOrder>();
        var open = new Dictionary<string, List<(Waiting Group, ChannelAxis Member)>>(StringComparer.Ordinal);
        foreach (var (group, classes, quotas) in groups)
        {
            var waiting = new Waiting(group, classes, quotas);
            if (criterion == ChannelCriterion.Norm || layers is null)
            {
                waiting.Readers.Add(ChannelReader.OfPowers(Norms(group)));
            }
            else
            {
                foreach (var member in group.Members.Where(IsRead))
                    // A walk stops at each layer once.
                    if (LayerRows.Of(member.Node!) is { Groups: 1 } && FittedWeights.Of(member.Node!) is not null && LayerWalk.CanStopAt(member.Node!))
                    {
                        if (!open.TryGetValue(member.Node!.Key, out var list))
                            open.Add(member.Node.Key, list = []);
                        list.Add((waiting, member));
                        waiting.Open++;
                    }
                    else
                    {
                        waiting.Readers.Add(ChannelReader.OfPowers(Powers(group, member),
                            gone => new(member.Node!.Key, member.Input, Without(member, gone), null)));
                    }
                // Units of a recurrent layer that nothing else reads.
                if (waiting is { Open: 0, Readers.Count: 0 })
                    waiting.Readers.Add(ChannelReader.OfPowers(Norms(group)));
            }
            if (waiting.Open == 0)
                orders.Add(group, waiting.Order());
        }
        if (open.Count > 0)
            layers!.Observe(open.Values.Select(static l => l[0].Member.Node!), visit =>
            {
                foreach (var (waiting, member) in open[visit.Node.Key])
                {
                    waiting.Readers.Add(ReaderOf(visit, waiting.Group, member, criterion));
                    // What is known of the group is used at once: moments take room.
                    if (--waiting.Open == 0)
                        orders.Add(waiting.Group, waiting.Order());
                }
            });
        // Layers that no sample comes to.
        foreach (var waiting in open.Values.SelectMany(static l => l).Select(static w => w.Group).Where(static w => w.Open > 0).Distinct())
        {
            waiting.Readers.Add(ChannelReader.OfPowers(Norms(waiting.Group)));
            orders.Add(waiting.Group, waiting.Order());
        }
        return orders;
    }

    /// <summary>The layers that make the channels of others: those whose input does not count them, as a depthwise convolution's does.</summary>
    public static IReadOnlyList<Node> Givers(ChannelGroup group)
    {
        var counting = group.Members.Select(static m => m.Value).OfType<Value>().ToHashSet();
        return [.. group.Layers.Where(l => l.Inputs[0] is not { } input || !counting.Contains(input))];
    }

    private sealed class Waiting(ChannelGroup group, ChannelClasses classes, int[] quotas)
    {
        public ChannelGroup Group => group;
        public List<ChannelReader> Readers { get; } = [];
        public int Open { get; set; }
        public ChannelOrder Order() => ChannelOrder.Of(group, classes, Readers, quotas);
    }

    /// <summary>Whether an axis of weights is summed over: not the one that counts what the layer gives.</summary>
    private static bool IsRead(ChannelAxis member) => IsWeights(member, out var op)
        && (op.Channels(member.Node!, member.Input) is not { Count: > 0 } given || given.First != member.Axis);

    private static bool IsWeights(ChannelAxis member, out Operator op)
    {
        op = null!;
        return member.Node is { } node && node.Inputs[member.Input]!.Constant is { ElementType: ElementType.Float }
            && OperatorRegistry.Find(node, node.Graph.Model.Opsets.GetValueOrDefault(node.Domain, 1)) is { } found
            && (op = found).Role(node, member.Input) == InputRole.Weights;
    }

    private static ChannelReader ReaderOf(LayerVisit visit, ChannelGroup group, ChannelAxis member, ChannelCriterion criterion)
    {
        var (rows, fitted, place) = (LayerRows.Of(visit.Node)!, FittedWeights.Of(visit.Node)!, BiasPlace.Of(visit.Node));
        var weights = fitted.Rows();
        var moments = new GramMatrix(rows, withTargets: false);
        var most = GramMatrix.EnoughRows(rows);
        // What is held out shows later what the others promise too much.
        foreach (var pair in visit.Pairs().Where(static p => !LackingRows.IsHeldOut(p.Sample)))
            moments.Add(pair, (most + visit.Samples - 1) / visit.Samples);
        // What a bias makes up for is not lost.
        var inputs = moments.Inputs(0, place is not null);
        var means = Array.ConvertAll(moments.Sums(0), s => s / moments.Count);
        var width = rows.Width / member.Channels.Count;
        List<(int First, int Count)>[] columns = [.. Enumerable.Range(0, group.Count).Select(static _ => new List<(int, int)>())];
        for (var i = 0; i < member.Channels.Count; i++)
            if (member.Channels[i] >= 0)
                columns[member.Channels[i]].Add((i * width, width));
        // With so few rows weights are not fitted.
        if (criterion == ChannelCriterion.Reconstruction && moments.Count > Refit.LeastRowsPerInput * rows.Width
            && ChannelReader.OfMoments(weights, inputs, [.. columns.Select(static c => c.ToArray())], SecondOrderRounding.Damping, Changed) is { } reader)
            return reader;
        var powers = new double[group.Count];
        for (var c = 0; c < powers.Length; c++)
            foreach (var i in columns[c].SelectMany(static p => Enumerable.Range(p.First, p.Count)))
                for (var o = 0; o < rows.Channels; o++)
                    powers[c] += (double)weights[o * rows.Width + i] * weights[o * rows.Width + i] * inputs[i * rows.Width + i];
        return ChannelReader.OfPowers(powers, gone =>
        {
            var left = (float[])weights.Clone();
            foreach (var i in gone.SelectMany(c => columns[c]).SelectMany(static p => Enumerable.Range(p.First, p.Count)))
                for (var o = 0; o < rows.Channels; o++)
                    left[o * rows.Width + i] = 0;
            return Changed(left);
        });

        ChangedReader Changed(float[] left)
        {
            var shift = place is null ? null : new double[rows.Channels];
            for (var o = 0; shift is not null && o < rows.Channels; o++)
                for (var i = 0; i < rows.Width; i++)
                    shift[o] += ((double)weights[o * rows.Width + i] - left[o * rows.Width + i]) * means[i];
            return new(visit.Node.Key, 1, fitted.Rounded(left, [], 0).Stored, shift);
        }
    }

    /// <summary>The sum, over all weights that count the channels, of each channel's squares over the mean channel's.</summary>
    private static double[] Norms(ChannelGroup group)
    {
        var norms = new double[group.Count];
        foreach (var member in group.Members)
        {
            if (!IsWeights(member, out _))
                continue;
            var powers = Powers(group, member);
            var mean = powers.Sum() / member.Channels.Where(static c => c >= 0).Distinct().Count();
            for (var c = 0; mean > 0 && c < powers.Length; c++)
                norms[c] += powers[c] / mean;
        }
        return norms;
    }

    /// <summary>Weights without some channels.</summary>
    private static Tensor Without(ChannelAxis member, IReadOnlySet<int> gone)
    {
        var tensor = member.Node!.Inputs[member.Input]!.Constant!;
        var values = tensor.ToArray<float>();
        var (length, inner) = ((int)tensor.Shape[member.Axis], Tensor.Count(tensor.Shape.AsSpan()[(member.Axis + 1)..]));
        for (var i = 0; i < values.Length; i++)
            if (gone.Contains(member.Channels[(int)(i / inner % length)]))
                values[i] = 0;
        return Tensor.Of(values, tensor.Shape.AsSpan());
    }

    /// <summary>The sum of squares of each channel's slices of a member.</summary>
    private static double[] Powers(ChannelGroup group, ChannelAxis member)
    {
        var tensor = member.Node!.Inputs[member.Input]!.Constant!;
        var values = tensor.Span<float>();
        var (length, inner) = ((int)tensor.Shape[member.Axis], Tensor.Count(tensor.Shape.AsSpan()[(member.Axis + 1)..]));
        var powers = new double[group.Count];
        for (var i = 0; i < values.Length; i++)
            if (member.Channels[(int)(i / inner % length)] is >= 0 and var channel)
                powers[channel] += (double)values[i] * values[i];
        return powers;
    }
}
