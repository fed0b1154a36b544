using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>An opened program with its weights, and the plans of recently used dimensions.</summary>
internal sealed class ManagedSession : ModelSession
{
    // Enough for an app that runs a handful of sizes; one with more sizes plans again, which takes microseconds.
    private const int KeptPlans = 16;
    private readonly List<ShapePlan> _plans = [];
    private readonly long _maxActivationBytes;
    private readonly IReadOnlyDictionary<string, string>? _variants;

    public ManagedSession(ManagedProgram program, WeightStore weights, ModelDescription description, string origin, long maxActivationBytes,
        IReadOnlyDictionary<string, string>? variants, int threads)
    {
        _maxActivationBytes = maxActivationBytes;
        Program = program;
        Weights = weights;
        Description = description;
        Origin = origin;
        Constants = CreateConstants();
        ArgumentBytes = program.Calls.Sum(c => c.Kernel.ArgumentBytes);
        _variants = variants;
        Threads = Math.Min(threads, WorkerPool.MostThreads);
    }

    public override int Threads { get; }

    public ManagedProgram Program { get; }

    public WeightStore Weights { get; }

    /// <summary>The weights as kernels read them.</summary>
    public UnpackedConstants Constants { get; }

    public ModelDescription Description { get; }

    public string Origin { get; }

    /// <summary>Bytes of all records of arguments.</summary>
    public int ArgumentBytes { get; }

    /// <summary>The variant of a kernel that was asked for by name; null for the best.</summary>
    public string? VariantOf(Kernel kernel) => _variants?.GetValueOrDefault(kernel.Name);

    /// <summary>Plans with every named dimension 1, so that a damaged program is found when the model is loaded. A model that cannot run at that size is no
    /// error.</summary>
    public void TryPlan()
    {
        var ones = new long[Program.Symbols.Length];
        Array.Fill(ones, 1);
        try
        {
            Plan(ones);
        }
        catch (ArgumentException) when (ones.Length > 0)
        {
        }
        catch (ArgumentException e)
        {
            throw ArtifactHeader.Damaged(Origin, e.Message);
        }
    }

    /// <summary>The plan for given dimensions; a recent one where there is one.</summary>
    public ShapePlan Plan(ReadOnlySpan<long> symbols)
    {
        if (symbols.Length != Program.Symbols.Length) throw new ArgumentException($"{Program.Symbols.Length} dimensions are to be bound, {symbols.Length} "
            + $"were given", nameof(symbols));
        for (var i = 0; i < symbols.Length; i++)
        {
            if (symbols[i] < 0) ModelErrors.ThrowDimension(Program.Symbols[i], symbols[i]);
        }
        if (Known(symbols) is { } known) return known;
        ShapePlan created = new(Program, symbols, Origin);
        if (created.ArenaBytes > _maxActivationBytes)
            throw new ModelLoadException(RuntimeCodes.TooMuchMemory,
                $"'{Origin}' takes {created.ArenaBytes} bytes for the activations of one call with the dimensions "
                + $"[{string.Join(", ", created.Symbols)}]; {nameof(ModelOptions)}.{nameof(ModelOptions.MaxActivationBytes)} allows "
                + $"{_maxActivationBytes}. Give it smaller inputs, or allow more.");
        lock (_plans)
        {
            if (_plans.Count == KeptPlans) _plans.RemoveAt(KeptPlans - 1);
            _plans.Insert(0, created);
        }
        return created;
    }

    private ShapePlan? Known(ReadOnlySpan<long> symbols)
    {
        lock (_plans)
        {
            for (var i = 0; i < _plans.Count; i++)
            {
                ShapePlan plan = _plans[i];
                if (!symbols.SequenceEqual(plan.Symbols)) continue;
                if (i > 0)
                {
                    _plans.RemoveAt(i);
                    _plans.Insert(0, plan);
                }
                return plan;
            }
        }
        return null;
    }

    public override ModelContext CreateContext() => new ManagedContext(this);

    public override void Dispose()
    {
        Constants.Dispose();
        Weights.Dispose();
    }

    private unsafe UnpackedConstants CreateConstants() => new(Program, Weights.Start);
}
