namespace ModelBuild.Compression.Backends;

/// <summary>Ends a region: brings back what was known before it.</summary>
/// <param name="restore">Brings it back.</param>
internal sealed class RegionEnd(Action restore) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => restore();
}
