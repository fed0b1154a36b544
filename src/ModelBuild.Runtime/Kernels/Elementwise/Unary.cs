using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>Functions of one tensor. Whole vectors only: every activation is padded to whole vectors.</summary>
internal static unsafe class Unary
{
    public static Kernel Kernel { get; } = new(KernelIds.Unary, nameof(Unary), 2, 2, 2, Check, &Run);

    private static void Check(KernelCheck a)
    {
        a.InRange(0, 0, (int)UnaryOperation.Gelu);
        a.Buffer(0, ModelElementType.Float, a.Size(1));
        a.Buffer(1, ModelElementType.Float, a.Size(1));
    }

    private static void Run(KernelCall* call)
    {
        switch ((UnaryOperation)call->Integers[0])
        {
            case UnaryOperation.Sigmoid: Run<SigmoidOperation>(call); break;
            case UnaryOperation.Tanh: Run<TanhOperation>(call); break;
            case UnaryOperation.Exp: Run<ExpOperation>(call); break;
            case UnaryOperation.Negate: Run<NegateOperation>(call); break;
            case UnaryOperation.Abs: Run<AbsOperation>(call); break;
            case UnaryOperation.Sqrt: Run<SqrtOperation>(call); break;
            case UnaryOperation.Reciprocal: Run<ReciprocalOperation>(call); break;
            case UnaryOperation.LeakyRelu: Run<LeakyReluOperation>(call); break;
            case UnaryOperation.Elu: Run<EluOperation>(call); break;
            case UnaryOperation.HardSigmoid: Run<HardSigmoidOperation>(call); break;
            case UnaryOperation.HardSwish: Run<HardSwishOperation>(call); break;
            case UnaryOperation.Silu: Run<SiluOperation>(call); break;
            case UnaryOperation.Erf: Run<ErfOperation>(call); break;
            default: Run<GeluOperation>(call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(KernelCall* call) where T : struct, IUnaryOperation
    {
        float* x = (float*)call->Operands[0], y = (float*)call->Operands[1];
        var count = call->Integers[1];
        Vector<float> alpha = new(call->Floats[0]), beta = new(call->Floats[1]);
        for (long i = 0; i < count; i += Vector<float>.Count) T.Apply(Vector.Load(x + i), alpha, beta).Store(y + i);
    }
}
