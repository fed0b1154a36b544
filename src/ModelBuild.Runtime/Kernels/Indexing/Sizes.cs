using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>ONNX Shape and what is computed from it: up to eight sizes as int64.</summary>
internal unsafe struct SizesArguments : IKernelArguments<SizesArguments>
{
    public const int Most = 8;
    /// <summary>Int64.</summary>
    public Operand Y;
    public Size Count;
    public Size S0, S1, S2, S3, S4, S5, S6, S7;

    public static Kernel<SizesArguments> Kernel { get; } = new(KernelIds.Sizes, "Sizes", new Variant<SizesArguments>("scalar", true, &Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Output(ref Y, nameof(Y), ModelElementType.Int64);
        visitor.Size(ref Count, nameof(Count));
        visitor.Size(ref S0, nameof(S0));
        visitor.Size(ref S1, nameof(S1));
        visitor.Size(ref S2, nameof(S2));
        visitor.Size(ref S3, nameof(S3));
        visitor.Size(ref S4, nameof(S4));
        visitor.Size(ref S5, nameof(S5));
        visitor.Size(ref S6, nameof(S6));
        visitor.Size(ref S7, nameof(S7));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(Y);
        check.InRange(Count, 0, Most);
        check.Reaches(Y, Count);
    }

    public readonly long Tiles => 1;

    public readonly long Scratch => 0;

    public readonly double Work => Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(SizesArguments* a, long first, long last, byte* scratch)
    {
        long* y = a->Y;
        var sizes = &a->S0;
        for (long i = 0; i < a->Count; i++) y[i] = sizes[i];
    }
}
