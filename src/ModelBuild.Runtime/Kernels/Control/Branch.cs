namespace ModelBuild.Kernels;

/// <summary>The start of a region: calls that follow run only where a condition has the right value. Two of them make an ONNX If. What runs a program skips
/// the region; the kernel itself has nothing to do.</summary>
internal unsafe struct BranchArguments : IKernelArguments<BranchArguments>
{
    /// <summary>One bool.</summary>
    public Operand Condition;
    /// <summary>The value with which the region runs: 0 or 1.</summary>
    public Size When;
    /// <summary>The calls of the region, those of regions within it included: a number for all sizes.</summary>
    public Size Calls;

    public static Kernel<BranchArguments> Kernel { get; } = new(KernelIds.Branch, "Branch", new Variant<BranchArguments>("scalar", true, &Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref Condition, nameof(Condition), ModelElementType.Bool);
        visitor.Size(ref When, nameof(When));
        visitor.Size(ref Calls, nameof(Calls));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(Condition);
        check.Reaches(Condition, 1);
        check.InRange(When, 0, 1);
    }

    public readonly long Tiles => 1;

    public readonly long Scratch => 0;

    public readonly double Work => 0;

    /// <summary>Whether the region runs, of bound arguments.</summary>
    public readonly bool IsTaken => *(byte*)Condition != 0 == (When != 0);

    private static void Run(BranchArguments* a, long first, long last, byte* scratch)
    {
    }
}
