namespace ModelBuild.Compression.Calibration;

/// <summary>What a walk may take.</summary>
public sealed record LayerWalkOptions
{
    /// <summary>Bytes of activations held in memory.</summary>
    public long MemoryBound { get; init; } = 256L << 20;

    /// <summary>Bytes of activations beyond that in a temporary file.</summary>
    public long DiskBound { get; init; } = 8L << 30;

    /// <summary>Threads within an operator.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Called with the number of layers done, and of all.</summary>
    public Action<int, int>? Progress { get; init; }
}
