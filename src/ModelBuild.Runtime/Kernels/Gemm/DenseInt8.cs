namespace ModelBuild.Kernels;

/// <summary>The integer dense layer with integer output: QLinearMatMul with a bias, and an activation as the output's range.</summary>
internal static unsafe class DenseInt8
{
    public static Kernel Kernel { get; } = new(KernelIds.DenseInt8, nameof(DenseInt8), 5, 10, 0, Check, &Run);

    private static void Check(KernelCheck a)
    {
        long m = a.Size(0), n = a.Size(2);
        CheckInput(a);
        if (a.IsPresent(2)) a.Constant(2, Packings.Raw, sizeof(int), n);
        a.Constant(3, Packings.Raw, sizeof(float), n);
        var signed = a.InRange(6, 0, 1) == 1;
        int lowest = signed ? sbyte.MinValue : byte.MinValue, highest = signed ? sbyte.MaxValue : byte.MaxValue;
        a.Buffer(4, signed ? ModelElementType.Int8 : ModelElementType.UInt8, m, n);
        a.InRange(7, lowest, highest);
        a.InRange(9, a.InRange(8, lowest, highest), highest);
    }

    /// <summary>What all integer dense kernels share: integers M, K, N, narrow, signed, zero; operands x and W.</summary>
    public static void CheckInput(KernelCheck a)
    {
        long m = a.Size(0), k = a.Size(1);
        var signed = a.InRange(4, 0, 1) == 1;
        a.Buffer(0, signed ? ModelElementType.Int8 : ModelElementType.UInt8, m, k);
        a.InRange(5, signed ? sbyte.MinValue : byte.MinValue, signed ? sbyte.MaxValue : byte.MaxValue);
        CheckWeights(a, 1);
    }

    /// <summary>The weights have the packing that the call says: integers M, K, N, narrow.</summary>
    public static void CheckWeights(KernelCheck a, int operand)
    {
        var packing = a.InRange(3, 0, 1) == 1 ? Packings.DenseInt7 : Packings.DenseInt8;
        a.Constant(operand, packing, 1, Panels.PaddedColumns(a.Size(2)), sizeof(int) + DenseInt8Packing.PaddedRows(a.Size(1)));
    }

    private static void Run(KernelCall* call)
    {
        var i = call->Integers;
        var signed = i[4] == 1;
        DenseInt8Arguments a = new()
        {
            X = (byte*)call->Operands[0], W = (byte*)call->Operands[1], Bias = (int*)call->Operands[2], Multiplier = (float*)call->Operands[3],
                Y = (byte*)call->Operands[4],
            M = i[0], K = i[1], N = i[2], Narrow = i[3] == 1, Signed = signed, XZero = (int)i[5] + (signed ? 128 : 0), Factor = 1,
            YZero = (int)i[7], YMinimum = (int)i[8], YMaximum = (int)i[9],
        };
        DenseInt8Core.Run(&a);
    }
}
