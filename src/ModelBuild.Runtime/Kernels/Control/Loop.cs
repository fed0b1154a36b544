namespace ModelBuild.Kernels;

/// <summary>
/// The start of a region that runs in turns, as the body of an ONNX Loop does: the calls that follow, up to the <see cref="AgainArguments"/> that is the last
/// of them. What runs a program skips the region, or enters it with turn 0; the kernel itself has nothing to do.
/// </summary>
internal unsafe struct LoopArguments : IKernelArguments<LoopArguments>
{
    /// <summary>The most turns, one int64. Optional; without, the condition alone decides.</summary>
    public Operand Most;
    /// <summary>Whether the first turn runs, one bool. Optional.</summary>
    public Operand Condition;
    /// <summary>The number of the turn that runs, one int64.</summary>
    public Operand Turn;
    /// <summary>Turns that a call is expected to take, for predictions.</summary>
    public Size Turns;
    /// <summary>The calls of the region, those of regions within it included: a number for all sizes.</summary>
    public Size Calls;

    public static Kernel<LoopArguments> Kernel { get; } = new(KernelIds.Loop, "Loop", new Variant<LoopArguments>("scalar", true, &Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref Most, nameof(Most), ModelElementType.Int64);
        visitor.Input(ref Condition, nameof(Condition), ModelElementType.Bool);
        visitor.Output(ref Turn, nameof(Turn), ModelElementType.Int64);
        visitor.Size(ref Turns, nameof(Turns));
        visitor.Size(ref Calls, nameof(Calls));
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

    /// <summary>Begins, of bound arguments.</summary>
    /// <returns>Whether there is a first turn.</returns>
    public readonly bool Begin()
    {
        *(long*)Turn = 0;
        return (!Most.IsPresent || *(long*)Most > 0) && (!Condition.IsPresent || *(byte*)Condition != 0);
    }

    private static void Run(LoopArguments* a, long first, long last, byte* scratch)
    {
    }
}
