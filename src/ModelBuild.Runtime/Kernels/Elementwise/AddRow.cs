using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>A tensor plus one row that repeats. Rows need not be whole vectors, so the end of each row is done one by one.</summary>
internal static unsafe class AddRow
{
    public static Kernel Kernel { get; } = new(KernelIds.AddRow, nameof(AddRow), 3, 2, 2, Check, &Run);

    private static void Check(KernelCheck a)
    {
        long rows = a.Size(0), length = a.Size(1);
        a.Buffer(0, ModelElementType.Float, rows, length);
        if (a.IsConstant(1)) a.Constant(1, Packings.Raw, sizeof(float), length);
        else a.Buffer(1, ModelElementType.Float, length);
        a.Buffer(2, ModelElementType.Float, rows, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(KernelCall* call)
    {
        float* x = (float*)call->Operands[0], row = (float*)call->Operands[1], y = (float*)call->Operands[2];
        long rows = call->Integers[0], length = call->Integers[1];
        float minimum = call->Floats[0], maximum = call->Floats[1];
        Vector<float> low = new(minimum), high = new(maximum);
        for (long r = 0; r < rows; r++, x += length, y += length)
        {
            long i = 0;
            for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) Vector.Min(Vector.Max(Vector.Load(x + i) + Vector.Load(row + i), low), high).Store(y + i);
            for (; i < length; i++) y[i] = MathF.Min(MathF.Max(x[i] + row[i], minimum), maximum);
        }
    }
}
