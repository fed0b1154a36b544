using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>The hyperbolic tangent. Whole vectors only: every activation is padded to whole vectors.</summary>
internal static unsafe class Tanh
{
    public static Kernel Kernel { get; } = new(KernelIds.Tanh, nameof(Tanh), 2, 1, 0, Check, &Run);

    private static void Check(KernelCheck a)
    {
        a.Buffer(0, ModelElementType.Float, a.Size(0));
        a.Buffer(1, ModelElementType.Float, a.Size(0));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(KernelCall* call)
    {
        float* x = (float*)call->Operands[0], y = (float*)call->Operands[1];
        long count = call->Integers[0];
        for (long i = 0; i < count; i += Vector<float>.Count) VectorMath.Tanh(Vector.Load(x + i)).Store(y + i);
    }
}
