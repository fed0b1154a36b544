using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>Sums of tensors of one shape, with the activation that follows. Whole vectors only: every activation is padded to whole vectors.</summary>
internal static unsafe class Add
{
    public static Kernel Kernel { get; } = new(KernelIds.Add, nameof(Add), 3, 1, 2, Check, &Run);

    private static void Check(KernelCheck a)
    {
        for (int i = 0; i < 3; i++) a.Buffer(i, ModelElementType.Float, a.Size(0));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(KernelCall* call)
    {
        float* a = (float*)call->Operands[0], b = (float*)call->Operands[1], y = (float*)call->Operands[2];
        long count = call->Integers[0];
        Vector<float> low = new(call->Floats[0]), high = new(call->Floats[1]);
        for (long i = 0; i < count; i += Vector<float>.Count) Vector.Min(Vector.Max(Vector.Load(a + i) + Vector.Load(b + i), low), high).Store(y + i);
    }
}
