using System.Runtime.ExceptionServices;

namespace ModelBuild.Managed;

/// <summary>
/// The helpers of all managed models of the process. One running call has them at a time, and only while no other call runs: with several callers each core
/// has a caller of its own, and helpers would only be in the way. Between the kernels of a call helpers spin; soon after it they sleep.
/// Each thread begins with the same part of every kernel's tiles, then helps with those of others: what it reads is mostly what it wrote, and cores that share
/// no cache fetch little from each other.
/// </summary>
internal sealed unsafe class WorkerPool
{
    // Some ten microseconds: kernels of a call follow each other faster, waking a thread takes about as long.
    private const int Spins = 3000;
    private const int Closed = int.MinValue;
    // Numbers of 8 bytes in a cache line, and in the next one, which is fetched with it.
    private const int Line = 16;
    private readonly List<Thread> _threads = [];
    private readonly SemaphoreSlim _wake = new(0);
    private int _running;
    private int _claimed;
    private int _sleeping;

    // The kernel call that is being shared out: written before the generation, read after it.
    private long _generation;
    // Helpers that are at it, or Closed: who comes late finds the call closed, and nobody waits for who sleeps.
    private int _state = Closed;
    private int _helpers;
    private delegate*<void*, long, long, byte*, void> _run;
    private void* _arguments;
    private long _tiles;
    private long _chunk;
    private byte* _scratch;
    private long _scratchBytes;
    // The next tile of each thread's part, a cache line apart.
    private long[] _next = [];
    private Exception? _failure;

    /// <summary>The pool of the process.</summary>
    public static WorkerPool Shared { get; } = new();

    /// <summary>The most threads that a call can use, its own included.</summary>
    public static int MostThreads { get; } = OperatingSystem.IsBrowser() ? 1 : Environment.ProcessorCount;

    /// <summary>A call begins.</summary>
    /// <param name="threads">The threads that it may use, its own included.</param>
    /// <returns>Whether it has helpers.</returns>
    public bool Enter(int threads)
    {
        var alone = Interlocked.Increment(ref _running) == 1;
        if (threads <= 1 || !alone || Interlocked.CompareExchange(ref _claimed, 1, 0) != 0) return false;
        while (_threads.Count < threads - 1) Start();
        // Who still looks at the old ones finds the call closed.
        if (_next.Length < threads * Line) _next = new long[threads * Line];
        return true;
    }

    /// <summary>A call ends.</summary>
    public void Leave(bool hadHelpers)
    {
        if (hadHelpers) Volatile.Write(ref _claimed, 0);
        Interlocked.Decrement(ref _running);
    }

    /// <summary>Runs the tiles of a kernel call on this thread and on helpers.</summary>
    /// <param name="run">The kernel.</param>
    /// <param name="arguments">Its record.</param>
    /// <param name="tiles">Its tiles.</param>
    /// <param name="threads">The threads, this one included.</param>
    /// <param name="scratch">Scratch memory of all threads, one after the other.</param>
    /// <param name="scratchBytes">Bytes of each.</param>
    public void Run(delegate*<void*, long, long, byte*, void> run, void* arguments, long tiles, int threads, byte* scratch, long scratchBytes)
    {
        // Another caller has come: its core is not ours any more.
        if (Volatile.Read(ref _running) > 1)
        {
            run(arguments, 0, tiles, scratch);
            return;
        }
        _run = run;
        _arguments = arguments;
        _tiles = tiles;
        // A few parts for each thread: they even out, and none is small.
        _chunk = Math.Max(1, tiles / (threads * 4));
        _scratch = scratch;
        _scratchBytes = scratchBytes;
        for (var worker = 0; worker < threads; worker++) _next[worker * Line] = tiles * worker / threads;
        _failure = null;
        _helpers = threads - 1;
        Volatile.Write(ref _state, 0);
        Interlocked.Increment(ref _generation);
        if (Volatile.Read(ref _sleeping) is > 0 and var sleeping) _wake.Release(sleeping);
        Exception? failure = null;
        try
        {
            Share(0);
        }
        catch (Exception e)
        {
            // Helpers still use the record: they end first.
            failure = e;
            Stop();
        }
        Interlocked.Add(ref _state, Closed);
        SpinWait wait = default;
        while (Volatile.Read(ref _state) != Closed) wait.SpinOnce(-1);
        if ((failure ?? _failure) is { } thrown) ExceptionDispatchInfo.Throw(thrown);
    }

    private void Share(int worker)
    {
        var scratch = _scratch + worker * _scratchBytes;
        long tiles = _tiles, chunk = _chunk;
        int threads = _helpers + 1;
        var next = _next;
        for (var i = 0; i < threads; i++)
        {
            // One's own part, then those of others.
            var part = (worker + i) % threads;
            var end = tiles * (part + 1) / threads;
            for (;;)
            {
                var first = Interlocked.Add(ref next[part * Line], chunk) - chunk;
                if (first >= end) break;
                _run(_arguments, first, Math.Min(end, first + chunk), scratch);
            }
        }
    }

    private void Stop()
    {
        for (var part = 0; part <= _helpers; part++) Volatile.Write(ref _next[part * Line], _tiles);
    }

    private void Start()
    {
        var worker = _threads.Count + 1;
        var generation = Volatile.Read(ref _generation);
        Thread thread = new(() => Work(worker, generation)) { IsBackground = true, Name = $"ModelBuild worker {worker}" };
        _threads.Add(thread);
        thread.Start();
    }

    private void Work(int worker, long seen)
    {
        for (;;)
        {
            for (var i = 0; Volatile.Read(ref _generation) == seen; i++)
            {
                if (i < Spins)
                {
                    Thread.SpinWait(8);
                    continue;
                }
                // Whoever raises the generation from here on sees one more sleeper, and wakes it.
                Interlocked.Increment(ref _sleeping);
                if (Volatile.Read(ref _generation) == seen) _wake.Wait();
                Interlocked.Decrement(ref _sleeping);
            }
            seen = Volatile.Read(ref _generation);
            if (worker > Volatile.Read(ref _helpers) || !Join()) continue;
            try
            {
                Share(worker);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _failure, e, null);
                Stop();
            }
            Interlocked.Decrement(ref _state);
        }
    }

    private bool Join()
    {
        for (var state = Volatile.Read(ref _state); state >= 0;)
        {
            var before = Interlocked.CompareExchange(ref _state, state + 1, state);
            if (before == state) return true;
            state = before;
        }
        return false;
    }
}
