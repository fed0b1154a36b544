using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// Keeps tensors by value and sample: in memory up to a bound, beyond it in a temporary file up to another one. What is freed makes room in both. Not thread
/// safe. Tensors are copied into blocks that stay: arrays that come and go by the thousand would leave the garbage collector's heap several times as large as
/// what it holds. What is noted of each tensor (some 100 bytes) is not counted.
/// </summary>
/// <param name="memoryBound">Bytes of tensors held in memory.</param>
/// <param name="diskBound">Bytes of the file.</param>
internal sealed class ActivationStore(long memoryBound, long diskBound) : IDisposable
{
    private const int Block = 1 << 22;

    private readonly Dictionary<(int Value, int Sample), Entry> _entries = [];
    private readonly Extents _memory = new(memoryBound);
    private readonly Extents _disk = new(diskBound);
    private readonly List<byte[]> _blocks = [];
    private SafeFileHandle? _file;
    private DirectoryInfo? _folder;

    /// <summary>Where a tensor lies; texts, which have no raw storage and are rare, are kept as they are.</summary>
    private readonly record struct Entry(ElementType Type, ImmutableArray<long> Shape, bool InMemory, long Offset, int Length, Tensor? Texts);

    /// <summary>The most bytes that were taken in memory.</summary>
    public long PeakMemory => _memory.Peak;

    /// <summary>The most bytes that the file had.</summary>
    public long PeakDisk => _disk.Peak;

    /// <summary>Keeps a tensor; false where neither bound leaves room.</summary>
    /// <param name="value">The value that it is of.</param>
    /// <param name="sample">The sample.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="always">Keeps it in memory, whatever the bounds.</param>
    public bool TryPut(int value, int sample, Tensor tensor, bool always = false)
    {
        var bytes = tensor.Bytes;
        if (tensor.ElementType == ElementType.String)
        {
            _entries[(value, sample)] = new(tensor.ElementType, tensor.Shape, true, 0, 0, tensor);
            return true;
        }
        if (_memory.Take(bytes.Length) is { } offset)
        {
            Copy(offset, bytes.Length, (part, done) => bytes.Span.Slice(done, part.Length).CopyTo(part));
            _entries[(value, sample)] = new(tensor.ElementType, tensor.Shape, true, offset, bytes.Length, null);
            return true;
        }
        if (TryWrite(bytes.Span) is { } place)
        {
            _entries[(value, sample)] = new(tensor.ElementType, tensor.Shape, false, place, bytes.Length, null);
            return true;
        }
        if (!always)
            return false;
        offset = _memory.Take(bytes.Length, always)!.Value;
        Copy(offset, bytes.Length, (part, done) => bytes.Span.Slice(done, part.Length).CopyTo(part));
        _entries[(value, sample)] = new(tensor.ElementType, tensor.Shape, true, offset, bytes.Length, null);
        return true;
    }

    /// <summary>The tensor of a value for a sample.</summary>
    /// <exception cref="KeyNotFoundException">It was not kept.</exception>
    public Tensor Get(int value, int sample)
    {
        var entry = _entries[(value, sample)];
        if (entry.Texts is { } texts)
            return texts;
        var bytes = GC.AllocateUninitializedArray<byte>(entry.Length);
        if (entry.InMemory)
            Copy(entry.Offset, entry.Length, (part, done) => part.CopyTo(bytes.AsSpan(done)));
        else
            Read(entry.Offset, bytes);
        return new(entry.Type, entry.Shape, bytes);
    }

    /// <summary>Gives up a tensor; nothing happens where it is not kept.</summary>
    public void Free(int value, int sample)
    {
        if (_entries.Remove((value, sample), out var entry))
            (entry.InMemory ? _memory : _disk).Return(entry.Offset, entry.Length);
    }

    /// <summary>Goes over a stretch of memory, block by block.</summary>
    private void Copy(long offset, int length, Part copy)
    {
        for (var done = 0; done < length;)
        {
            var (block, within) = ((int)((offset + done) / Block), (int)((offset + done) % Block));
            while (_blocks.Count <= block)
                _blocks.Add(GC.AllocateUninitializedArray<byte>(Block));
            var count = Math.Min(length - done, Block - within);
            copy(_blocks[block].AsSpan(within, count), done);
            done += count;
        }
    }

    private delegate void Part(Span<byte> part, int done);

    private long? TryWrite(ReadOnlySpan<byte> bytes)
    {
        if (_disk.Take(bytes.Length) is not { } offset)
            return null;
        try
        {
            if (_file is null)
            {
                _folder = WorkingFolder.CreateTemporary();
                _file = File.OpenHandle(Path.Combine(_folder.FullName, "activations"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None,
                    FileOptions.DeleteOnClose);
            }
            RandomAccess.Write(_file, bytes, offset);
            return offset;
        }
        catch (IOException)
        {
            // The disk has less room than the bound: what there is is the bound.
            _disk.Return(offset, bytes.Length);
            _disk.Stop();
            return null;
        }
    }

    private void Read(long offset, byte[] bytes)
    {
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(_file!, bytes.AsSpan(done), offset + done);
            if (read == 0)
                throw new IOException("the temporary file of activations is shorter than what was written to it");
            done += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _folder?.Delete(true);
    }
}
