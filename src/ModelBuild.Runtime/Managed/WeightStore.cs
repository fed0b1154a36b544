using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace ModelBuild.Managed;

/// <summary>The weights of an artifact in memory, 64-byte aligned: mapped where the artifact is a file, so that processes share the pages and nothing is read
/// before it is used; copied otherwise.</summary>
internal sealed unsafe class WeightStore : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private bool _acquired;
    private void* _copy;

    public WeightStore(ModelArtifact artifact, long offset, long length)
    {
        if (artifact.Handle is { } handle && !OperatingSystem.IsBrowser())
        {
            // From the start of the file: a mapping starts at a page, and the offset within it is a multiple of 64.
            _file = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* start = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            _acquired = true;
            Start = start + _view.PointerOffset + offset;
            return;
        }
        _copy = NativeMemory.AlignedAlloc((nuint)Math.Max(length, 64), 64);
        Start = (byte*)_copy;
        using Stream stream = artifact.OpenRead();
        stream.Position = offset;
        for (long done = 0; done < length;)
        {
            var part = (int)Math.Min(length - done, 1 << 20);
            stream.ReadExactly(new Span<byte>(Start + done, part));
            done += part;
        }
    }

    public byte* Start { get; }

    public void Dispose()
    {
        Free();
        _view?.Dispose();
        _file?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory of a model that nobody disposed. The handle of the view is finalized after this, and unmaps only when its pointer was given
    /// back.</summary>
    ~WeightStore() => Free();

    private void Free()
    {
        if (_acquired)
        {
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
            _acquired = false;
        }
        NativeMemory.AlignedFree(_copy);
        _copy = null;
    }
}
