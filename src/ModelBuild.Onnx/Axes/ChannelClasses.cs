namespace ModelBuild.Onnx;

/// <summary>
/// Channels of a group that stand in the same places: of a residual sum whose later blocks have more channels, those that all blocks have and those that only
/// the later ones do. Kernels are fast where each axis is a multiple of their vectors, and it stays one if each class loses whole vectors.
/// </summary>
public sealed class ChannelClasses
{
    private readonly int[] _sizes, _free, _units;

    private ChannelClasses(int[] of, int[] sizes, int[] free, int[] units) => (Of, _sizes, _free, _units) = (of, sizes, free, units);

    /// <summary>The class of each channel.</summary>
    public IReadOnlyList<int> Of { get; }

    /// <summary>How many there are.</summary>
    public int Count => _sizes.Length;

    /// <summary>The classes of a group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="vector">Channels of a vector.</param>
    public static ChannelClasses In(ChannelGroup group, int vector)
    {
        // How often each member's axis counts a channel: one behind the other or apart.
        var places = Enumerable.Range(0, group.Count).Select(static _ => new SortedDictionary<int, int>()).ToArray();
        for (var m = 0; m < group.Members.Count; m++)
            foreach (var channel in group.Members[m].Channels.Where(static c => c >= 0))
                places[channel][m] = places[channel].GetValueOrDefault(m) + 1;
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var of = new int[group.Count];
        var (sizes, free, units) = (new List<int>(), new List<int>(), new List<int>());
        for (var c = 0; c < group.Count; c++)
        {
            var key = string.Join(' ', places[c]);
            if (known.TryAdd(key, sizes.Count))
            {
                sizes.Add(0);
                free.Add(0);
                var least = places[c].Values.DefaultIfEmpty(1).Min();
                units.Add((vector + least - 1) / least);
            }
            of[c] = known[key];
            sizes[of[c]]++;
            free[of[c]] += group.Fixed.ContainsKey(c) ? 0 : 1;
        }
        return new(of, [.. sizes], [.. free], [.. units]);
    }

    /// <summary>How many channels of each class may go where a share of them should: no more, and so that whole vectors stay.</summary>
    public int[] Quotas(double share) => [.. Enumerable.Range(0, Count).Select(i => Whole(i, Math.Min(_free[i], (int)Math.Floor(_sizes[i] * share + 1e-9))))];

    /// <summary>The numbers of channels of a class that may go, up to a limit.</summary>
    public IEnumerable<int> Stops(int index, int limit) => Enumerable.Range(1, Math.Max(0, limit)).Where(n => Whole(index, n) == n);

    /// <summary>How many channels of a class may go where so many could: no more, one stays, and what stays is whole vectors.</summary>
    public int Whole(int index, int gone)
    {
        var unit = _units[index];
        gone = Math.Min(gone, _sizes[index] - 1);
        // Where there is one class, what stays is whole; of several each loses whole vectors.
        var rest = Count == 1 ? (_sizes[index] - gone) % unit : -gone % unit;
        gone -= (unit - (rest < 0 ? rest + unit : rest)) % unit;
        return Math.Max(0, gone);
    }
}
