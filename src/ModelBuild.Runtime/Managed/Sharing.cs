namespace ModelBuild.Managed;

/// <summary>
/// Which calls of a program are shared out over threads: those that were faster so. How much a helper costs depends on where the system lets it run: on a
/// core that shares a cache with the caller's, it has work soon and finds the inputs near; on one that does not, late, and far. So runs of both kinds are
/// timed when a program is new, and now and then again: first each call, then the whole with those calls shared that gained by it. Only who has the helpers
/// asks, one run at a time.
/// </summary>
/// <param name="guess">For each call, whether to share it until it has been timed.</param>
internal sealed class Sharing(bool[] guess)
{
    // The first runs compile code and touch memory. Then calls are timed, then whole runs, half of them each time without helpers.
    private const int Untimed = 3, Calls = Untimed + 12, Whole = Calls + 14;
    // Timed runs are few beside these.
    private const int Last = Whole + 2000;
    // Sharing keeps other cores busy: it must be worth something.
    private const double Worth = 0.95;
    private readonly bool[] _pays = guess;
    private readonly long[] _shared = new long[guess.Length];
    private readonly long[] _alone = new long[guess.Length];
    private readonly long[] _wholes = new long[Whole - Calls];
    private bool _isShared = true;
    private int _run;
    private long _start;

    /// <summary>A run begins.</summary>
    /// <param name="now">The time.</param>
    /// <returns>What is done with its calls.</returns>
    public Mode Begin(long now)
    {
        if (_run == Untimed)
        {
            Array.Fill(_shared, long.MaxValue);
            Array.Fill(_alone, long.MaxValue);
        }
        if (_run is >= Untimed and < Calls) return (_run - Untimed) % 2 == 0 ? Mode.TimedShared : Mode.TimedAlone;
        if (_run is < Calls or >= Whole) return _isShared ? Mode.Chosen : Mode.Alone;
        _start = now;
        return (_run - Calls) % 2 == 0 ? Mode.Chosen : Mode.Alone;
    }

    /// <summary>Whether a call is shared out.</summary>
    public bool Pays(int call, Mode mode) => mode == Mode.TimedShared || mode == Mode.Chosen && _pays[call];

    /// <summary>Notes how long a call took in a run that times them: the best time counts.</summary>
    public void Note(int call, Mode mode, long time)
    {
        ref var best = ref (mode == Mode.TimedShared ? _shared : _alone)[call];
        best = Math.Min(best, time);
    }

    /// <summary>A run has ended.</summary>
    /// <param name="now">The time.</param>
    public void End(long now)
    {
        if (_run is >= Calls and < Whole) _wholes[_run - Calls] = now - _start;
        _run = _run == Last ? Untimed : _run + 1;
        if (_run == Calls)
        {
            for (var c = 0; c < _pays.Length; c++) _pays[c] = _shared[c] < Worth * _alone[c];
        }
        if (_run == Whole) _isShared = Median(0) < Worth * Median(1);
    }

    private long Median(int first)
    {
        // Few numbers, seldom: no memory is taken.
        Span<long> times = stackalloc long[_wholes.Length / 2];
        for (var i = 0; i < times.Length; i++) times[i] = _wholes[first + 2 * i];
        times.Sort();
        return times[times.Length / 2];
    }

    /// <summary>What a run does with its calls.</summary>
    public enum Mode
    {
        /// <summary>Those are shared that are faster so.</summary>
        Chosen,
        /// <summary>None is shared.</summary>
        Alone,
        /// <summary>All are shared, and timed.</summary>
        TimedShared,
        /// <summary>None is shared, and all are timed.</summary>
        TimedAlone,
    }
}
