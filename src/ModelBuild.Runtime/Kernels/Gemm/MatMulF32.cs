using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>Products of two activations: b is packed into scratch memory, then multiplied as weights are. Packing costs K * N, the product M * K * N.</summary>
internal static unsafe class MatMulF32
{
    public static Kernel Kernel { get; } = new(KernelIds.MatMulF32, nameof(MatMulF32), 4, 5, 0, Check, &Run);

    private static void Check(KernelCheck a)
    {
        long batch = a.Size(0), m = a.Size(1), k = a.Size(2), n = a.Size(3);
        a.Buffer(0, ModelElementType.Float, batch, m, k);
        a.Buffer(1, ModelElementType.Float, a.InRange(4, 0, 1) == 1 ? batch : 1, k, n);
        a.Buffer(2, ModelElementType.Float, k, Panels.PaddedColumns(n));
        a.Buffer(3, ModelElementType.Float, batch, m, n);
        if (k * Panels.PaddedColumns(n) > int.MaxValue) throw a.Damaged("a matrix is too large");
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(KernelCall* call)
    {
        float* a = (float*)call->Operands[0], b = (float*)call->Operands[1], packed = (float*)call->Operands[2], y = (float*)call->Operands[3];
        long batch = call->Integers[0], m = call->Integers[1], k = call->Integers[2], n = call->Integers[3];
        var batched = call->Integers[4] == 1;
        for (long i = 0; i < batch; i++, a += m * k, y += m * n)
        {
            if (i == 0 || batched)
            {
                DenseF32Packing.Pack(new ReadOnlySpan<float>(b, (int)(k * n)), (int)k, (int)n, false,
                    new Span<float>(packed, (int)(k * Panels.PaddedColumns(n))));
                b += k * n;
            }
            DenseF32.Run(a, packed, null, y, m, k, n, float.NegativeInfinity, float.PositiveInfinity);
        }
    }
}
