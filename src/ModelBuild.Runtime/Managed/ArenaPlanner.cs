using System.Runtime.InteropServices;

namespace ModelBuild.Managed;

/// <summary>
/// Lays the buffers of a run out in one arena: buffers whose lives do not overlap share memory. Goes through the calls in their order, gives each buffer the
/// smallest gap that holds it, and joins gaps that become neighbours; the time is proportional to the number of buffers but for the search in the gaps.
/// </summary>
internal static class ArenaPlanner
{
    /// <summary>Everything is aligned to, and padded to, this many bytes.</summary>
    public const long Alignment = 64;

    /// <summary>
    /// Bytes after the end of every buffer that kernels may read, also where it ends with a whole vector: integer kernels read the last values of a row in
    /// groups of 4. After the last buffer the arena has them to itself; elsewhere another buffer follows. What is read there counts for nothing.
    /// </summary>
    public const long ReadAhead = 64;

    /// <summary>A buffer to place: its size, and the first and last call that use it.</summary>
    public readonly record struct Life(long Bytes, int First, int Last);

    /// <summary>Places buffers.</summary>
    /// <param name="lives">The buffers. One that no call uses ends before it begins, and gets a place of its own.</param>
    /// <param name="total">The size of the arena.</param>
    /// <returns>The offset of each buffer.</returns>
    public static long[] Place(ReadOnlySpan<Life> lives, out long total)
    {
        var offsets = new long[lives.Length];
        var births = Enumerable.Range(0, lives.Length).ToArray();
        var firsts = new int[lives.Length];
        var lasts = new int[lives.Length];
        for (var i = 0; i < lives.Length; i++) (firsts[i], lasts[i]) = (lives[i].First, lives[i].Last < lives[i].First ? int.MaxValue : lives[i].Last);
        // Stable: equal ones keep their order, so that the same program gives the same arena.
        births = [.. births.OrderBy(i => firsts[i])];
        PriorityQueue<int, (int, int)> deaths = new();
        Gaps gaps = new();
        foreach (var buffer in births)
        {
            while (deaths.TryPeek(out var dead, out (int Last, int) when) && when.Last < firsts[buffer])
            {
                deaths.Dequeue();
                gaps.Free(offsets[dead], Padded(lives[dead].Bytes));
            }
            offsets[buffer] = gaps.Take(Padded(lives[buffer].Bytes));
            deaths.Enqueue(buffer, (lasts[buffer], buffer));
        }
        total = checked(gaps.End + ReadAhead);
        return offsets;
    }

    // An empty buffer still gets a place of its own, whose vectors may be touched.
    private static long Padded(long bytes) => checked(Math.Max(bytes, 1) + Alignment - 1) / Alignment * Alignment;

    /// <summary>The free parts of the arena, none beside another, and the arena's end so far.</summary>
    private sealed class Gaps
    {
        // Few at a time: sorted by offset, searched from the start.
        private readonly List<(long Offset, long Length)> _free = [];

        public long End { get; private set; }

        public long Take(long length)
        {
            var best = -1;
            for (var i = 0; i < _free.Count; i++)
            {
                if (_free[i].Length >= length && (best < 0 || _free[i].Length < _free[best].Length)) best = i;
            }
            if (best >= 0)
            {
                (long offset, long free) = _free[best];
                if (free == length) _free.RemoveAt(best);
                else _free[best] = (offset + length, free - length);
                return offset;
            }
            // A gap at the end grows.
            var start = End;
            if (_free.Count > 0 && _free[^1].Offset + _free[^1].Length == End)
            {
                start = _free[^1].Offset;
                _free.RemoveAt(_free.Count - 1);
            }
            End = checked(start + length);
            return start;
        }

        public void Free(long offset, long length)
        {
            var at = CollectionsMarshal.AsSpan(_free).BinarySearch((offset, 0L));
            at = at < 0 ? ~at : at;
            if (at < _free.Count && offset + length == _free[at].Offset)
            {
                length += _free[at].Length;
                _free.RemoveAt(at);
            }
            if (at > 0 && _free[at - 1].Offset + _free[at - 1].Length == offset)
            {
                _free[at - 1] = (_free[at - 1].Offset, _free[at - 1].Length + length);
                return;
            }
            _free.Insert(at, (offset, length));
        }
    }
}
