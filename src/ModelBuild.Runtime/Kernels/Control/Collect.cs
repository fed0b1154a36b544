namespace ModelBuild.Kernels;

/// <summary>What each turn of a loop gives, one behind the other: y[turn] = x.</summary>
internal unsafe struct CollectArguments : IKernelArguments<CollectArguments>
{
    /// <summary>The type of the elements.</summary>
    public ModelElementType Type;
    /// <summary>[Elements], contiguous.</summary>
    public Operand X;
    /// <summary>[Turns, Elements], contiguous.</summary>
    public Operand Y;
    /// <summary>The number of the turn, one int64; one that Y has no place for writes nothing.</summary>
    public Operand Turn;
    public Size Turns, Elements;

    public static Kernel<CollectArguments> Kernel { get; } = new(KernelIds.Collect, "Collect", new Variant<CollectArguments>("scalar", true, &Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Input(ref X, nameof(X), Type);
        visitor.Output(ref Y, nameof(Y), Type);
        visitor.Input(ref Turn, nameof(Turn), ModelElementType.Int64);
        visitor.Size(ref Turns, nameof(Turns));
        visitor.Size(ref Elements, nameof(Elements));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Y, Turn);
        check.Sizes(Turns, Elements);
        check.Reaches(X, Elements);
        check.Reaches(Y, checked(Turns * Elements));
        check.Reaches(Turn, 1);
    }

    public readonly long Tiles => 1;

    public readonly long Scratch => 0;

    public readonly double Work => Elements;

    private static void Run(CollectArguments* a, long first, long last, byte* scratch)
    {
        var turn = *(long*)a->Turn;
        if (turn < 0 || turn >= a->Turns) return;
        var bytes = a->Elements * ModelElementTypes.SizeOf(a->Type);
        Buffer.MemoryCopy((byte*)a->X, (byte*)a->Y + turn * bytes, bytes, bytes);
    }
}
