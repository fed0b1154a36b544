using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>In which order channels of a group go, those that are missed least in front, and what the layers that read them lose.</summary>
/// <param name="Group">The group.</param>
/// <param name="Steps">The channels, with all that is lost up to them: shares of what the readers give, added up over the readers.</param>
/// <param name="Trial">What the readers are like once some channels are gone.</param>
internal sealed record ChannelOrder(ChannelGroup Group, IReadOnlyList<(int Channel, double Lost)> Steps, ChannelTrial Trial)
{
    /// <summary>Orders the channels of a group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="classes">Its classes.</param>
    /// <param name="readers">What is lost with them; used up.</param>
    /// <param name="quotas">How many of each class may go.</param>
    public static ChannelOrder Of(ChannelGroup group, ChannelClasses classes, IReadOnlyList<ChannelReader> readers, IReadOnlyList<int> quotas)
    {
        int[] left = [.. quotas];
        var candidates = Enumerable.Range(0, group.Count).Where(c => !group.Fixed.ContainsKey(c)).ToHashSet();
        var steps = new List<(int, double)>();
        var trial = new ChannelTrial(0, []);
        var tried = (quotas.Sum() + 2) / 3;
        var lost = 0.0;
        while (true)
        {
            var (next, least) = (-1, double.PositiveInfinity);
            foreach (var channel in candidates)
                if (left[classes.Of[channel]] > 0 && readers.Sum(r => r.Loss(channel)) is var loss && (loss < least || loss == least && channel < next))
                    (next, least) = (channel, loss);
            if (next < 0)
                return new(group, steps, trial);
            foreach (var reader in readers)
                reader.Remove(next);
            candidates.Remove(next);
            left[classes.Of[next]]--;
            steps.Add((next, lost += Math.Max(0, least)));
            if (steps.Count == tried)
                trial = new(lost, [.. readers.Select(static r => r.Changed).OfType<ChangedReader>()]);
        }
    }
}

/// <summary>A group with some of its channels gone, for a run.</summary>
/// <param name="Lost">What is lost by their readers' own account.</param>
/// <param name="Readers">The readers.</param>
internal sealed record ChannelTrial(double Lost, IReadOnlyList<ChangedReader> Readers);

/// <summary>A layer that reads channels, some of which are gone: their weights are 0, and others make up for them.</summary>
/// <param name="Key">The layer's key.</param>
/// <param name="Input">Which of its inputs the weights are.</param>
/// <param name="Weights">The weights.</param>
/// <param name="Shift">What is added to its bias; null where it has none.</param>
internal sealed record ChangedReader(string Key, int Input, Tensor Weights, double[]? Shift);
