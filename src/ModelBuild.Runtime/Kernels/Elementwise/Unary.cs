using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>y = op(x) on floats.</summary>
internal unsafe struct UnaryArguments : IKernelArguments<UnaryArguments>
{
    /// <summary>A <see cref="UnaryOperation"/>.</summary>
    public Size Operation;
    public Operand X, Y;
    public Loops Extents, XStrides, YStrides;
    /// <summary>Parameters of the operation; 0 where it has none.</summary>
    public float Alpha, Beta;

    public static Kernel<UnaryArguments> Kernel { get; } = new(KernelIds.Unary, "Unary", new Variant<UnaryArguments>("vector", true, Unary.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Size(ref Operation, nameof(Operation));
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        Extents.Visit(ref visitor, nameof(Extents));
        XStrides.Visit(ref visitor, nameof(XStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
        visitor.Number(ref Alpha, nameof(Alpha));
        visitor.Number(ref Beta, nameof(Beta));
    }

    public readonly void Check(KernelCheck check)
    {
        check.InRange(Operation, 0, (int)UnaryOperation.Last);
        check.Present(X, Y);
        NestCursor.Check(check, X, Extents, XStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

/// <summary>Functions of one tensor, with whatever vectors the CPU has. The last elements of a row that are no whole vector go through one on the
/// side.</summary>
internal static unsafe class Unary
{
    public static delegate*<UnaryArguments*, long, long, byte*, void> Select(in UnaryArguments a) => (UnaryOperation)(long)a.Operation switch
    {
        UnaryOperation.Sigmoid => &Run<SigmoidOperation>,
        UnaryOperation.Tanh => &Run<TanhOperation>,
        UnaryOperation.Exp => &Run<ExpOperation>,
        UnaryOperation.Negate => &Run<NegateOperation>,
        UnaryOperation.Abs => &Run<AbsOperation>,
        UnaryOperation.Sqrt => &Run<SqrtOperation>,
        UnaryOperation.Reciprocal => &Run<ReciprocalOperation>,
        UnaryOperation.LeakyRelu => &Run<LeakyReluOperation>,
        UnaryOperation.Elu => &Run<EluOperation>,
        UnaryOperation.HardSigmoid => &Run<HardSigmoidOperation>,
        UnaryOperation.HardSwish => &Run<HardSwishOperation>,
        UnaryOperation.Silu => &Run<SiluOperation>,
        UnaryOperation.Erf => &Run<ErfOperation>,
        UnaryOperation.Gelu => &Run<GeluOperation>,
        UnaryOperation.Clamp => &Run<ClampOperation>,
        UnaryOperation.Linear => &Run<LinearOperation>,
        UnaryOperation.GeluTanh => &Run<GeluTanhOperation>,
        UnaryOperation.Swish => &Run<SwishOperation>,
        UnaryOperation.ThresholdedRelu => &Run<ThresholdedReluOperation>,
        UnaryOperation.Softsign => &Run<SoftsignOperation>,
        UnaryOperation.Selu => &Run<SeluOperation>,
        UnaryOperation.Celu => &Run<CeluOperation>,
        UnaryOperation.Sign => &Run<SignOperation>,
        UnaryOperation.Floor => &Run<FloorOperation>,
        UnaryOperation.Ceiling => &Run<CeilingOperation>,
        UnaryOperation.Round => &Run<RoundOperation>,
        UnaryOperation.Shrink => &Run<ShrinkOperation>,
        UnaryOperation.Log => &RunScalar<LogFunction>,
        UnaryOperation.Sin => &RunScalar<SinFunction>,
        UnaryOperation.Cos => &RunScalar<CosFunction>,
        UnaryOperation.Tan => &RunScalar<TanFunction>,
        UnaryOperation.Asin => &RunScalar<AsinFunction>,
        UnaryOperation.Acos => &RunScalar<AcosFunction>,
        UnaryOperation.Atan => &RunScalar<AtanFunction>,
        UnaryOperation.Sinh => &RunScalar<SinhFunction>,
        UnaryOperation.Cosh => &RunScalar<CoshFunction>,
        UnaryOperation.Asinh => &RunScalar<AsinhFunction>,
        UnaryOperation.Acosh => &RunScalar<AcoshFunction>,
        UnaryOperation.Atanh => &RunScalar<AtanhFunction>,
        UnaryOperation.Softplus => &RunScalar<SoftplusFunction>,
        _ => &RunScalar<MishFunction>,
    };

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(UnaryArguments* a, long first, long last, byte* scratch) where T : struct, IUnaryOperation
    {
        var lanes = Vector<float>.Count;
        var side = stackalloc float[Vector<float>.Count];
        Vector<float> alpha = new(a->Alpha), beta = new(a->Beta);
        NestCursor cursor = new(a->Extents, first);
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        for (var tile = first; tile < last; tile++, cursor.Next())
        {
            float* x = (float*)a->X + cursor.Offset(a->XStrides), y = (float*)a->Y + cursor.Offset(a->YStrides);
            long length = cursor.Length, i = 0;
            if (xStep == 1 && yStep == 1)
                for (; i <= length - lanes; i += lanes) T.Apply(Vector.Load(x + i), alpha, beta).Store(y + i);
            while (i < length)
            {
                var count = (int)Math.Min(lanes, length - i);
                for (var k = 0; k < lanes; k++) side[k] = k < count ? x[(i + k) * xStep] : 0;
                T.Apply(Vector.Load(side), alpha, beta).Store(side);
                for (var k = 0; k < count; k++) y[(i + k) * yStep] = side[k];
                i += count;
            }
        }
    }

    // Functions that are rare in models: one by one, by the functions of the runtime.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunScalar<T>(UnaryArguments* a, long first, long last, byte* scratch) where T : struct, IScalarFunction
    {
        NestCursor cursor = new(a->Extents, first);
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        for (var tile = first; tile < last; tile++, cursor.Next())
        {
            float* x = (float*)a->X + cursor.Offset(a->XStrides), y = (float*)a->Y + cursor.Offset(a->YStrides);
            var length = cursor.Length;
            for (long i = 0; i < length; i++) y[i * yStep] = T.Apply(x[i * xStep]);
        }
    }
}
