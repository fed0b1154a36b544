namespace ModelBuild.Managed;

/// <summary>Lays the buffers of a run out in one arena: buffers whose lives do not overlap share memory. Largest first, each at the lowest free
/// place.</summary>
internal static class ArenaPlanner
{
    /// <summary>Everything is aligned to, and padded to, this many bytes: kernels may read and write the rest of the vector that a buffer ends in.</summary>
    public const long Alignment = 64;

    /// <summary>
    /// Bytes after the end of every buffer that kernels may read, also where it ends with a whole vector: integer kernels read the last values of a row in
    /// groups of 4. After the last buffer the arena has them to itself; elsewhere another buffer follows. What is read there counts for nothing.
    /// </summary>
    public const long ReadAhead = 64;

    /// <summary>A buffer to place: its size, and the first and last call that use it.</summary>
    public readonly record struct Life(long Bytes, int First, int Last);

    /// <summary>Places buffers.</summary>
    /// <param name="lives">The buffers.</param>
    /// <param name="total">The size of the arena.</param>
    /// <returns>The offset of each buffer.</returns>
    public static long[] Place(ReadOnlySpan<Life> lives, out long total)
    {
        var offsets = new long[lives.Length];
        int[] order = [.. Enumerable.Range(0, lives.Length)];
        Life[] all = lives.ToArray();
        // Stable: equal sizes keep their order, so that the same program gives the same arena.
        order = [.. order.OrderByDescending(i => all[i].Bytes)];
        List<int> placed = [];
        total = 0;
        foreach (var buffer in order)
        {
            var size = Padded(all[buffer].Bytes);
            long offset = 0;
            foreach (var other in placed.Where(o => all[o].First <= all[buffer].Last && all[buffer].First <= all[o].Last).OrderBy(o => offsets[o]))
            {
                if (offsets[other] - offset >= size) break;
                offset = Math.Max(offset, offsets[other] + Padded(all[other].Bytes));
            }
            offsets[buffer] = offset;
            total = Math.Max(total, checked(offset + size));
            placed.Add(buffer);
        }
        total = checked(total + ReadAhead);
        return offsets;
    }

    // An empty buffer still gets a place of its own, whose vectors may be touched.
    private static long Padded(long bytes) => checked(Math.Max(bytes, 1) + Alignment - 1) / Alignment * Alignment;
}
