using System.Diagnostics;

namespace ModelBuild.Fuzz;

/// <summary>Ends the process when one input takes longer than 10 seconds or the process's memory passes 1 GB.</summary>
/// <param name="kept">The file that holds the input, for the message.</param>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);
    private const long MaxBytes = 1L << 30;

    private readonly string _kept;
    private readonly Thread _thread;
    private long _started;
    private volatile bool _ended;

    public Watchdog(string kept)
    {
        _kept = kept;
        _thread = new(Watch) { IsBackground = true, Priority = ThreadPriority.Highest };
        _thread.Start();
    }

    /// <summary>The longest time that one input took.</summary>
    public TimeSpan Slowest { get; private set; }

    /// <summary>The most memory that the process had, sampled every few milliseconds.</summary>
    public long PeakBytes { get; private set; }

    public void Start() => Volatile.Write(ref _started, Stopwatch.GetTimestamp());

    public void Stop()
    {
        var time = Stopwatch.GetElapsedTime(Volatile.Read(ref _started));
        Slowest = time > Slowest ? time : Slowest;
        Volatile.Write(ref _started, 0);
    }

    public void Dispose()
    {
        _ended = true;
        _thread.Join();
    }

    private void Watch()
    {
        while (!_ended)
        {
            Thread.Sleep(5);
            var bytes = Environment.WorkingSet;
            PeakBytes = Math.Max(PeakBytes, bytes);
            if (bytes > MaxBytes)
                End(4, $"{bytes >> 20} MB of memory");
            if (Volatile.Read(ref _started) is var started and not 0 && Stopwatch.GetElapsedTime(started) > MaxTime)
                End(3, $"more than {MaxTime.TotalSeconds} s");
        }
    }

    private void End(int code, string what)
    {
        Console.WriteLine($"FAILED: {_kept} took {what}");
        Environment.Exit(code);
    }
}
