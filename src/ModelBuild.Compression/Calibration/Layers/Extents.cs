namespace ModelBuild.Compression.Calibration;

/// <summary>Hands out stretches of a space that grows at its end up to a bound, those given back first.</summary>
/// <param name="bound">How far the space may grow.</param>
internal sealed class Extents(long bound)
{
    // What was given back, by offset; merged with its neighbours.
    private readonly SortedList<long, long> _free = [];
    private long _bound = bound;

    /// <summary>How far the space reaches.</summary>
    public long End { get; private set; }

    /// <summary>How far it reached at most.</summary>
    public long Peak { get; private set; }

    /// <summary>Grows no further than now.</summary>
    public void Stop() => _bound = Math.Min(_bound, End);

    /// <summary>A stretch: the first hole that is large enough, or the end; null beyond the bound.</summary>
    /// <param name="length">Its length.</param>
    /// <param name="always">Gives one, whatever the bound.</param>
    public long? Take(long length, bool always = false)
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
        if (!always && End > _bound - length)
            return null;
        var end = End;
        End += length;
        Peak = Math.Max(Peak, End);
        return end;
    }

    /// <summary>Takes a stretch back.</summary>
    public void Return(long offset, long length)
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
        // What is free at the end is no part of the space.
        if (offset + length == End)
        {
            _free.Remove(offset);
            End = offset;
        }
    }
}
