namespace ModelBuild.Kernels;

/// <summary>Copies bytes, where one activation cannot stand for both tensors.</summary>
internal static unsafe class Copy
{
    public static Kernel Kernel { get; } = new(KernelIds.Copy, nameof(Copy), 2, 1, 0, Check, &Run);

    private static void Check(KernelCheck a)
    {
        ModelElementType type = a.TypeOf(0);
        var elements = a.Size(0) / ModelElementTypes.SizeOf(type);
        a.Buffer(0, type, elements);
        a.Buffer(1, type, elements);
        if (a.Size(0) % ModelElementTypes.SizeOf(type) != 0) throw a.Damaged("a part of an element would be copied");
    }

    private static void Run(KernelCall* call) => Buffer.MemoryCopy(call->Operands[0], call->Operands[1], call->Integers[0], call->Integers[0]);
}
