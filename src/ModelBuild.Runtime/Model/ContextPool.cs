namespace ModelBuild;

/// <summary>
/// The contexts of one session. Renting and returning are lock-free while contexts are free; a caller that finds all of them taken waits.
/// The session closes when it is disposed and the last context is back.
/// </summary>
internal sealed class ContextPool(ModelSession session, int bound, Action closed) : IDisposable
{
    // Bit 31 of _state: disposed. The other bits: how many contexts exist. Nothing is created once the bit is set, so the state passes
    // through "disposed, none left" exactly once.
    private const int Disposed = int.MinValue;
    private readonly ModelContext?[] _free = new ModelContext?[bound];
    private readonly object _waiting = new();
    private int _state;
    private int _waiters;

    public ModelContext Rent()
    {
        ModelContext context = TakeFree() ?? TryCreate() ?? Wait();
        Volatile.Write(ref context.Lender, this);
        return context;
    }

    public void Return(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // Of two returns, or of two threads that return at once, one finds the lender. Without this, two callers would get one context.
        if (Interlocked.CompareExchange(ref context.Lender, null, this) != this)
            throw new InvalidOperationException("the context was given back before, or was rented from another model; give each back once, to the model "
                + "that it came from");
        var slot = 0;
        // There are as many slots as contexts may exist: one is free, though other threads may take it first.
        while (Interlocked.CompareExchange(ref _free[slot], context, null) is not null) slot = (slot + 1) % _free.Length;
        // The exchange above is a full fence: either this sees the waiter, or the waiter sees the context.
        if (Volatile.Read(ref _waiters) > 0)
        {
            lock (_waiting) Monitor.Pulse(_waiting);
        }
        if (Volatile.Read(ref _state) < 0) DestroyFree();
    }

    public void Dispose()
    {
        var before = Interlocked.Or(ref _state, Disposed);
        if (before < 0) return;
        if (before == 0) Close();
        DestroyFree();
        lock (_waiting) Monitor.PulseAll(_waiting);
    }

    private ModelContext? TakeFree()
    {
        ModelContext?[] free = _free;
        for (var i = 0; i < free.Length; i++)
        {
            ModelContext? context = free[i];
            if (context is not null && Interlocked.CompareExchange(ref free[i], null, context) == context) return context;
        }
        return null;
    }

    private ModelContext? TryCreate()
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            ObjectDisposedException.ThrowIf(state < 0, typeof(LoadedModel));
            if (state == _free.Length) return null;
            if (Interlocked.CompareExchange(ref _state, state + 1, state) != state) continue;
            try
            {
                return session.CreateContext();
            }
            catch
            {
                CountDown();
                lock (_waiting) Monitor.Pulse(_waiting);
                throw;
            }
        }
    }

    private ModelContext Wait()
    {
        lock (_waiting)
        {
            Interlocked.Increment(ref _waiters);
            try
            {
                while (true)
                {
                    if ((TakeFree() ?? TryCreate()) is { } context) return context;
                    Monitor.Wait(_waiting);
                }
            }
            finally
            {
                Interlocked.Decrement(ref _waiters);
            }
        }
    }

    private void DestroyFree()
    {
        while (TakeFree() is { } context)
        {
            context.Dispose();
            CountDown();
        }
    }

    private void CountDown()
    {
        if (Interlocked.Decrement(ref _state) == Disposed) Close();
    }

    private void Close()
    {
        session.Dispose();
        closed();
    }
}
