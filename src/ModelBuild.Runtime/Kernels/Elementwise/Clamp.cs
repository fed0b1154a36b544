using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>Relu, Clip and the like. Whole vectors only: every activation is padded to whole vectors.</summary>
internal static unsafe class Clamp
{
    public static Kernel Kernel { get; } = new(KernelIds.Clamp, nameof(Clamp), 2, 1, 2, Check, &Run);

    private static void Check(KernelCheck a)
    {
        a.Buffer(0, ModelElementType.Float, a.Size(0));
        a.Buffer(1, ModelElementType.Float, a.Size(0));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(KernelCall* call)
    {
        float* x = (float*)call->Operands[0], y = (float*)call->Operands[1];
        var count = call->Integers[0];
        Vector<float> low = new(call->Floats[0]), high = new(call->Floats[1]);
        for (long i = 0; i < count; i += Vector<float>.Count) Vector.Min(Vector.Max(Vector.Load(x + i), low), high).Store(y + i);
    }
}
