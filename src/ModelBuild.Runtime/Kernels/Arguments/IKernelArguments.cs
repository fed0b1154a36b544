namespace ModelBuild.Kernels;

/// <summary>
/// The arguments of a kernel: a record whose fields are named once. Lowering fills it with operands and expressions; a program writes and reads it by
/// <see cref="Visit"/>; binding turns operands into addresses and expressions into values in place; the kernel and its tests read the very same fields.
/// </summary>
/// <typeparam name="T">The record itself.</typeparam>
internal interface IKernelArguments<T> where T : unmanaged, IKernelArguments<T>
{
    /// <summary>The kernel: its number in artifacts, its name, and its variants, the one to prefer first.</summary>
    static abstract Kernel<T> Kernel { get; }

    /// <summary>Shows each field, in the order of the format.</summary>
    void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct;

    /// <summary>States what must hold for the kernel to run without any check: how far operands reach, which values arguments may have. Sizes are values here,
    /// operands still have the form in a program.</summary>
    void Check(KernelCheck check);

    /// <summary>Of bound sizes: how many parts the work has that can run in any order, on any thread. A variant runs a range of them.</summary>
    long Tiles { get; }

    /// <summary>Of bound sizes: bytes of scratch memory that one worker needs, 64-byte aligned, with undefined content.</summary>
    long Scratch { get; }

    /// <summary>Of bound sizes: multiply-adds or elements, whichever tells better how long the call takes; threads are asked where this is large.</summary>
    double Work { get; }
}

/// <summary>Sees the fields of a record of arguments.</summary>
internal interface IArgumentVisitor
{
    /// <summary>An operand that the kernel reads: an activation, or a constant of <see cref="Packings.Raw"/>.</summary>
    void Input(ref Operand operand, string name, ModelElementType type);

    /// <summary>An activation that the kernel writes.</summary>
    void Output(ref Operand operand, string name, ModelElementType type);

    /// <summary>A constant of one of these packings.</summary>
    void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings);

    /// <summary>A size, stride, count, zero point or flag.</summary>
    void Size(ref Size size, string name);

    /// <summary>A scale or limit.</summary>
    void Number(ref float number, string name);

    /// <summary>An element type that operands have which follow.</summary>
    void Type(ref ModelElementType type, string name);
}
