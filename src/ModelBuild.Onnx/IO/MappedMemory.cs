using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace ModelBuild.Onnx;

/// <summary>Part of a mapped file as memory. The view's handle is released when nothing refers to the memory any more.</summary>
internal sealed unsafe class MappedMemory : MemoryManager<byte>
{
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly int _length;

    public MappedMemory(MemoryMappedViewAccessor view, int length)
    {
        _view = view;
        _length = length;
        // The pointer is valid while the accessor, which owns the handle, is reachable.
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        _start = start + view.PointerOffset;
    }

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex, default, this);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _view.Dispose();
    }
}
