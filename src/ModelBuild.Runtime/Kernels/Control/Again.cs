namespace ModelBuild.Kernels;

/// <summary>The end of the region of a <see cref="LoopArguments"/>: another turn, or what comes behind. What runs a program goes back to the first call of the
/// region; the kernel itself has nothing to do.</summary>
internal unsafe struct AgainArguments : IKernelArguments<AgainArguments>
{
    /// <summary>The most turns, one int64. Optional; without, the condition alone decides.</summary>
    public Operand Most;
    /// <summary>Whether the next turn runs, one bool. Optional.</summary>
    public Operand Condition;
    /// <summary>The number of the turn, one int64.</summary>
    public Operand Turn;

    public static Kernel<AgainArguments> Kernel { get; } = new(KernelIds.Again, "Again", new Variant<AgainArguments>("scalar", true, &Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref Most, nameof(Most), ModelElementType.Int64);
        visitor.Input(ref Condition, nameof(Condition), ModelElementType.Bool);
        visitor.Output(ref Turn, nameof(Turn), ModelElementType.Int64);
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(Turn);
        check.Reaches(Most, 1);
        check.Reaches(Condition, 1);
        check.Reaches(Turn, 1);
    }

    public readonly long Tiles => 1;

    public readonly long Scratch => 0;

    public readonly double Work => 0;

    /// <summary>Counts a turn, of bound arguments.</summary>
    /// <returns>Whether there is another one.</returns>
    public readonly bool Next()
    {
        var turn = unchecked(*(long*)Turn + 1);
        *(long*)Turn = turn;
        return (!Most.IsPresent || turn < *(long*)Most) && (!Condition.IsPresent || *(byte*)Condition != 0);
    }

    private static void Run(AgainArguments* a, long first, long last, byte* scratch)
    {
    }
}
