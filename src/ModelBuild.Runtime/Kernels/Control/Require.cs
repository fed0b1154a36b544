namespace ModelBuild.Kernels;

/// <summary>Two sizes that must be equal for the calls of its region: what inference could not prove. The check is all that it does.</summary>
internal unsafe struct RequireArguments : IKernelArguments<RequireArguments>
{
    public Size A;
    public Size B;

    public static Kernel<RequireArguments> Kernel { get; } = new(KernelIds.Require, "Require", new Variant<RequireArguments>("scalar", true, &Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Size(ref A, nameof(A));
        visitor.Size(ref B, nameof(B));
    }

    public readonly void Check(KernelCheck check) => check.Equal(A, B);

    public readonly long Tiles => 1;

    public readonly long Scratch => 0;

    public readonly double Work => 0;

    private static void Run(RequireArguments* a, long first, long last, byte* scratch)
    {
    }
}
