using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// Keeps tensors by value and sample: in memory up to a bound, beyond it in a temporary file up to another one. What is freed makes room in both. Not thread safe.
/// What it notes of each tensor (some 100 bytes) is not counted.
/// </summary>
/// <param name="memoryBound">Bytes of tensors held in memory.</param>
/// <param name="diskBound">Bytes of the file.</param>
internal sealed class ActivationStore(long memoryBound, long diskBound) : IDisposable
{
    private readonly Dictionary<(int Value, int Sample), Entry> _entries = [];
    // Free extents of the file by offset; they are merged with their neighbours.
    private readonly SortedList<long, long> _free = [];
    private readonly long _memoryBound = memoryBound;
    private long _diskBound = diskBound;
    private SafeFileHandle? _file;
    private DirectoryInfo? _folder;
    private long _end;

    /// <summary>A tensor in memory, or where it lies in the file.</summary>
    private readonly record struct Entry(Tensor? Tensor, ElementType Type, ImmutableArray<long> Shape, long Offset, int Length);

    /// <summary>Bytes of tensors in memory.</summary>
    public long Memory { get; private set; }

    /// <summary>The most bytes of tensors that were in memory.</summary>
    public long PeakMemory { get; private set; }

    /// <summary>The most bytes that the file had.</summary>
    public long PeakDisk { get; private set; }

    /// <summary>Keeps a tensor; false where neither bound leaves room.</summary>
    /// <param name="value">The value that it is of.</param>
    /// <param name="sample">The sample.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="always">Keeps it in memory, whatever the bounds.</param>
    public bool TryPut(int value, int sample, Tensor tensor, bool always = false)
    {
        var size = SizeOf(tensor);
        if (Memory + size <= _memoryBound || always)
        {
            _entries[(value, sample)] = new(tensor, tensor.ElementType, tensor.Shape, 0, 0);
            Memory += size;
            PeakMemory = Math.Max(PeakMemory, Memory);
            return true;
        }
        // Texts have no raw storage; they are rare and small.
        if (tensor.ElementType == ElementType.String || Allocate(tensor.Bytes.Length) is not { } offset)
            return false;
        try
        {
            RandomAccess.Write(Open(), tensor.Bytes.Span, offset);
        }
        catch (IOException)
        {
            // The disk has less room than the bound: what there is is the bound.
            Release(offset, tensor.Bytes.Length);
            _diskBound = Math.Min(_diskBound, _end);
            return false;
        }
        _entries[(value, sample)] = new(null, tensor.ElementType, tensor.Shape, offset, tensor.Bytes.Length);
        return true;
    }

    /// <summary>The tensor of a value for a sample.</summary>
    /// <exception cref="KeyNotFoundException">It was not kept.</exception>
    public Tensor Get(int value, int sample)
    {
        var entry = _entries[(value, sample)];
        if (entry.Tensor is { } tensor)
            return tensor;
        var bytes = GC.AllocateUninitializedArray<byte>(entry.Length);
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(_file!, bytes.AsSpan(done), entry.Offset + done);
            if (read == 0)
                throw new IOException("the temporary file of activations is shorter than what was written to it");
            done += read;
        }
        return new(entry.Type, entry.Shape, bytes);
    }

    /// <summary>Gives up a tensor; nothing happens where it is not kept.</summary>
    public void Free(int value, int sample)
    {
        if (!_entries.Remove((value, sample), out var entry))
            return;
        if (entry.Tensor is { } tensor)
            Memory -= SizeOf(tensor);
        else
            Release(entry.Offset, entry.Length);
    }

    private static long SizeOf(Tensor tensor)
    {
        if (tensor.ElementType != ElementType.String)
            return tensor.Bytes.Length;
        var size = 0L;
        foreach (var text in tensor.Strings)
            size += 24 + 2L * text.Length;
        return size;
    }

    private SafeFileHandle Open()
    {
        if (_file is not null)
            return _file;
        _folder = WorkingFolder.CreateTemporary();
        return _file = File.OpenHandle(Path.Combine(_folder.FullName, "activations"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
    }

    /// <summary>Room in the file: the first hole that is large enough, or its end; null beyond the bound.</summary>
    private long? Allocate(int length)
    {
        for (var i = 0; i < _free.Count; i++)
        {
            var (offset, room) = (_free.GetKeyAtIndex(i), _free.GetValueAtIndex(i));
            if (room < length)
                continue;
            _free.RemoveAt(i);
            if (room > length)
                _free.Add(offset + length, room - length);
            return offset;
        }
        if (_end + length > _diskBound)
            return null;
        var end = _end;
        _end += length;
        PeakDisk = Math.Max(PeakDisk, _end);
        return end;
    }

    private void Release(long offset, long length)
    {
        if (length == 0)
            return;
        if (_free.Remove(offset + length, out var behind))
            length += behind;
        _free.Add(offset, length);
        var index = _free.IndexOfKey(offset);
        if (index > 0 && _free.GetKeyAtIndex(index - 1) is var before && before + _free.GetValueAtIndex(index - 1) == offset)
        {
            _free.RemoveAt(index);
            _free[before] += length;
            (offset, length) = (before, _free[before]);
        }
        // What is free at the end is no part of the file.
        if (offset + length == _end)
        {
            _free.Remove(offset);
            _end = offset;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _folder?.Delete(true);
    }
}
