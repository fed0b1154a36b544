namespace ModelBuild.Onnx;

/// <summary>
/// How much computing untrusted models may cause: elements made, multiply-adds and nodes run are counted where they happen, and the count ends in an error, not
/// in a hang. The same model reaches the limit at the same place on every machine, which a limit of time would not.
/// </summary>
internal sealed class WorkBudget
{
    /// <summary>What running a node costs apart from its elements.</summary>
    public const long PerNode = 64;

    [ThreadStatic]
    private static WorkBudget? _current;

    private long _left;

    private WorkBudget(long units) => _left = units;

    /// <summary>Starts a budget for what this thread does until the scope is disposed. Within another budget, both hold: the smaller one ends first.</summary>
    /// <param name="units">Elements and multiply-adds, about a nanosecond each.</param>
    public static Scope Limit(long units)
    {
        var outer = _current;
        _current = new(outer is null ? units : Math.Min(units, outer._left));
        return new(outer, _current._left);
    }

    /// <summary>Counts work that is about to be done.</summary>
    /// <exception cref="OnnxException">The budget is used up.</exception>
    public static void Charge(double units)
    {
        if (_current is not { } budget)
            return;
        if (units > budget._left)
            throw new OnnxException(OnnxErrors.TooLarge, "the model computes more than the limit of work allows");
        budget._left -= (long)units;
    }

    /// <summary>The time that a budget holds.</summary>
    public readonly ref struct Scope(WorkBudget? outer, long units)
    {
        public void Dispose()
        {
            if (outer is not null)
                outer._left -= units - _current!._left;
            _current = outer;
        }
    }
}
