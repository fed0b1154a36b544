using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>ONNX Range of integers: y[i] = start + i * step.</summary>
internal unsafe struct SequenceArguments : IKernelArguments<SequenceArguments>
{
    /// <summary>Int64 or Int32.</summary>
    public ModelElementType Type;
    public Operand Y;
    public Size Count, Start, Step;

    public static Kernel<SequenceArguments> Kernel { get; } = new(KernelIds.Sequence, "Sequence", new Variant<SequenceArguments>("scalar", true, &Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Output(ref Y, nameof(Y), Type);
        visitor.Size(ref Count, nameof(Count));
        visitor.Size(ref Start, nameof(Start));
        visitor.Size(ref Step, nameof(Step));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(Y);
        check.Sizes(Count);
        if (Type is not (ModelElementType.Int64 or ModelElementType.Int32)) throw check.Damaged($"there is no sequence of {Type}");
        check.Reaches(Y, Count);
    }

    public readonly long Tiles => 1;

    public readonly long Scratch => 0;

    public readonly double Work => Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(SequenceArguments* a, long first, long last, byte* scratch)
    {
        if (a->Type == ModelElementType.Int64)
            for (long i = 0; i < a->Count; i++) ((long*)a->Y)[i] = a->Start + i * a->Step;
        else
            for (long i = 0; i < a->Count; i++) ((int*)a->Y)[i] = (int)(a->Start + i * a->Step);
    }
}
