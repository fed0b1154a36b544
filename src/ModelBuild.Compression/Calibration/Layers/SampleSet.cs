using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// The samples of a walk in the order in which they are run. Where a bound leaves no room for all, the last ones are given up; any first ones of this order
/// are spread evenly over the data, which may be sorted by class.
/// </summary>
internal sealed class SampleSet
{
    private readonly int[] _order;
    private readonly HashSet<int> _values = [];

    public SampleSet(int count)
    {
        // Each number with its bits reversed: 0, 1/2, 1/4, 3/4, 1/8, ... of the way through.
        var bits = 32 - System.Numerics.BitOperations.LeadingZeroCount((uint)Math.Max(1, count - 1));
        _order = [.. Enumerable.Range(0, 1 << bits).Select(i => Reverse(i, bits)).Where(i => i < count)];
        Count = count;
    }

    /// <summary>How many are left.</summary>
    public int Count { get; private set; }

    /// <summary>The number in the data of one of the order.</summary>
    public int this[int index] => _order[index];

    /// <summary>Keeps a value of a sample; the last samples are given up until there is room. One is always kept.</summary>
    public void Put(ActivationStore store, int value, int index, Tensor tensor)
    {
        _values.Add(value);
        while (index < Count && !store.TryPut(value, index, tensor, always: Count == 1))
        {
            Count--;
            foreach (var kept in _values)
                store.Free(kept, Count);
        }
    }

    private static int Reverse(int number, int bits)
    {
        var reversed = 0;
        for (var b = 0; b < bits; b++)
            reversed |= (number >> b & 1) << (bits - 1 - b);
        return reversed;
    }
}
