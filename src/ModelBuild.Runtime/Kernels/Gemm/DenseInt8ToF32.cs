namespace ModelBuild.Kernels;

/// <summary>The integer dense layer with float output: MatMulInteger or QLinearMatMul whose result is dequantized.</summary>
internal static unsafe class DenseInt8ToF32
{
    public static Kernel Kernel { get; } = new(KernelIds.DenseInt8ToF32, nameof(DenseInt8ToF32), 5, 6, 2, Check, &Run);

    private static void Check(KernelCheck a)
    {
        long m = a.Size(0), n = a.Size(2);
        DenseInt8.CheckInput(a);
        if (a.IsPresent(2)) a.Constant(2, Packings.Raw, sizeof(float), n);
        a.Constant(3, Packings.Raw, sizeof(float), n);
        a.Buffer(4, ModelElementType.Float, m, n);
    }

    private static void Run(KernelCall* call)
    {
        var i = call->Integers;
        var signed = i[4] == 1;
        DenseInt8Arguments a = new()
        {
            X = (byte*)call->Operands[0], W = (byte*)call->Operands[1], FloatBias = (float*)call->Operands[2], Multiplier = (float*)call->Operands[3],
                FloatY = (float*)call->Operands[4],
            M = i[0], K = i[1], N = i[2], Narrow = i[3] == 1, Signed = signed, XZero = (int)i[5] + (signed ? 128 : 0), Factor = 1,
            Minimum = call->Floats[0], Maximum = call->Floats[1],
        };
        DenseInt8Core.Run(&a);
    }
}
