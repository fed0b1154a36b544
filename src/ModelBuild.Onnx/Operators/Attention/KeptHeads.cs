namespace ModelBuild.Onnx.Operators;

/// <summary>What is left of an axis that counts heads and, within each, features.</summary>
/// <param name="Heads">The heads that are left.</param>
/// <param name="Features">What each of them keeps.</param>
internal sealed record KeptHeads(long[] Heads, long[] Features)
{
    /// <summary>The heads that are left; null where they would keep different features.</summary>
    public static KeptHeads? Of(long[] kept, long size)
    {
        var heads = kept.GroupBy(i => i / size, i => i % size).ToArray();
        return heads.All(h => h.SequenceEqual(heads[0])) ? new([.. heads.Select(static h => h.Key)], [.. heads[0]]) : null;
    }

    /// <summary>Whether each head of keys that is left is still shared by equally many heads of queries.</summary>
    public static bool AreShared(long[] queryHeads, long[] heads, long shared)
    {
        var groups = queryHeads.GroupBy(h => h / shared).ToArray();
        return groups.Select(static g => g.Key).SequenceEqual(heads) && groups.Select(static g => g.Count()).Distinct().Count() == 1;
    }
}
