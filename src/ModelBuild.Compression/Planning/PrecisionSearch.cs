namespace ModelBuild.Compression.Planning;

/// <summary>
/// Finds the layers that are to be left in float so that a model's answers are near enough: a few layers are often most of the noise. The shortest prefix of an
/// order that is enough is found by measuring the whole; and what turns out not to be needed goes back (greedy revert with step-back).
/// </summary>
/// <param name="noise">What the model is off by with these layers in float, planned anew with all that follows, as noise over signal.</param>
public sealed class PrecisionSearch(Func<IReadOnlyCollection<string>, double> noise)
{
    /// <summary>How many layers are tried to be put back: each try is a plan of its own.</summary>
    private const int MostSteppedBack = 4;

    private readonly Dictionary<string, double> _known = new(StringComparer.Ordinal);

    /// <summary>The layers to leave in float; null where no prefix of the order that was tried keeps to the bound.</summary>
    /// <param name="order">The layers, those first that are to be left in float first.</param>
    /// <param name="bound">What the answers may be off by.</param>
    public IReadOnlyList<string>? Find(IReadOnlyList<string> order, double bound)
    {
        List<string> left = [.. order];
        // The first length that is enough: doubled until it is, and halved back. Noise may rise on the way; then a longer prefix than needed is found.
        var (low, high) = (0, Math.Min(1, left.Count));
        while (!(Noise(left[..high]) <= bound))
        {
            if (high == left.Count)
                return null;
            (low, high) = (high, Math.Min(2 * high, left.Count));
        }
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            (low, high) = Noise(left[..middle]) <= bound ? (low, middle) : (middle, high);
        }
        left = left[..high];
        // The last one was needed when it came.
        foreach (var layer in left.AsEnumerable().Reverse().Skip(1).Take(MostSteppedBack).ToArray())
            if (left.Where(l => l != layer).ToList() is var fewer && Noise(fewer) <= bound)
                left = fewer;
        return left;
    }

    private double Noise(List<string> layers)
    {
        var key = string.Join('\n', layers.Order(StringComparer.Ordinal));
        if (!_known.TryGetValue(key, out var value))
            _known.Add(key, value = noise(layers));
        return value;
    }
}
