namespace ModelBuild.Compression.Calibration;

/// <summary>Rows of a layer's inputs and targets up to a bound, spread evenly over all that were seen; which ones follows from their number alone.</summary>
/// <param name="rows">How the layer's inputs are rows.</param>
/// <param name="bound">The most rows of each group that are kept.</param>
public sealed class RowSample(LayerRows rows, int bound)
{
    private readonly List<(float[] Inputs, float[] Targets)>[] _kept = [.. Enumerable.Range(0, rows.Groups).Select(_ => new List<(float[], float[])>())];
    private readonly long[] _seen = new long[rows.Groups];
    private readonly long[] _step = [.. Enumerable.Repeat(1L, rows.Groups)];

    /// <summary>Adds a sample.</summary>
    public void Add(LayerPair pair) => rows.ForEach(pair, Add);

    private void Add(int group, ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets)
    {
        if (_seen[group]++ % _step[group] != 0)
            return;
        var kept = _kept[group];
        if (kept.Count == bound)
        {
            // Every second one goes, and from here on only half as many come.
            for (var i = 0; 2 * i < kept.Count; i++)
                kept[i] = kept[2 * i];
            kept.RemoveRange((kept.Count + 1) / 2, kept.Count / 2);
            _step[group] *= 2;
            if ((_seen[group] - 1) % _step[group] != 0)
                return;
        }
        kept.Add((inputs.ToArray(), targets.ToArray()));
    }

    /// <summary>The rows of a group.</summary>
    public IReadOnlyList<(float[] Inputs, float[] Targets)> Of(int group) => _kept[group];

    /// <summary>How many rows of a group were seen.</summary>
    public long Seen(int group) => _seen[group];
}
