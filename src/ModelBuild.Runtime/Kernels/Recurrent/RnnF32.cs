using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>One direction of ONNX RNN. Strides are in floats; layout 1, and the place of a direction in X, Y and states, are a matter of strides and
/// offsets.</summary>
internal unsafe struct RnnF32Arguments : IKernelArguments<RnnF32Arguments>
{
    /// <summary>x, float: [Steps, Batch, Inputs] by <see cref="XStep"/> and <see cref="XBatch"/>.</summary>
    public Operand X;
    /// <summary><see cref="DenseF32Packing"/> of the direction's W, transposed: K = Inputs, N = Hidden.</summary>
    public Operand W;
    /// <summary>The same of R: K = Hidden, N = Hidden.</summary>
    public Operand R;
    /// <summary>Wb + Rb, Hidden floats, padded to <see cref="Panels.PaddedColumns"/>: <see cref="RecurrentPacking.Bias"/>. Optional.</summary>
    public Operand Bias;
    /// <summary>Steps of each sequence, int32[Batch]. Optional.</summary>
    public Operand Lengths;
    /// <summary>Optional; zeros without.</summary>
    public Operand InitialH;
    /// <summary>All states, [Steps, Batch, Hidden] by <see cref="YStep"/> and <see cref="YBatch"/>. Optional.</summary>
    public Operand Y;
    /// <summary>The last state of each sequence. Optional; may be <see cref="InitialH"/>.</summary>
    public Operand LastH;
    public Size Steps;
    public Size Batch;
    public Size Inputs;
    public Size Hidden;
    public Size XStep;
    public Size XBatch;
    public Size YStep;
    public Size YBatch;
    public Size InitialHBatch;
    public Size LastHBatch;
    /// <summary>1: from the last step of each sequence to its first.</summary>
    public Size Reverse;
    /// <summary><see cref="RecurrentActivation"/>.</summary>
    public Size F;
    /// <summary>Limit of what the activation gets; 0 for none.</summary>
    public float Clip;
    public float FAlpha;
    public float FBeta;

    public static Kernel<RnnF32Arguments> Kernel { get; } = new(KernelIds.RnnF32, "RnnF32",
        new("avx512", Vector512.IsHardwareAccelerated, &RnnF32.Run<Floats512, Vector512<float>>),
        new("avx2", Fma.IsSupported && Avx2.IsSupported, &RnnF32.Run<Floats256, Vector256<float>>),
        new("vector128", true, &RnnF32.Run<Floats128, Vector128<float>>));

    public readonly long Tiles => RecurrentCore.Tiles(Batch);

    public readonly long Scratch => RecurrentCore.Scratch(Hidden, 1);

    public readonly double Work => RecurrentCore.Work(Steps, Batch, Inputs, Hidden, 1);

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DenseF32);
        visitor.Constant(ref R, nameof(R), Packings.DenseF32);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Float);
        visitor.Input(ref Lengths, nameof(Lengths), ModelElementType.Int32);
        visitor.Input(ref InitialH, nameof(InitialH), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Output(ref LastH, nameof(LastH), ModelElementType.Float);
        visitor.Size(ref Steps, nameof(Steps));
        visitor.Size(ref Batch, nameof(Batch));
        visitor.Size(ref Inputs, nameof(Inputs));
        visitor.Size(ref Hidden, nameof(Hidden));
        visitor.Size(ref XStep, nameof(XStep));
        visitor.Size(ref XBatch, nameof(XBatch));
        visitor.Size(ref YStep, nameof(YStep));
        visitor.Size(ref YBatch, nameof(YBatch));
        visitor.Size(ref InitialHBatch, nameof(InitialHBatch));
        visitor.Size(ref LastHBatch, nameof(LastHBatch));
        visitor.Size(ref Reverse, nameof(Reverse));
        visitor.Size(ref F, nameof(F));
        visitor.Number(ref Clip, nameof(Clip));
        visitor.Number(ref FAlpha, nameof(FAlpha));
        visitor.Number(ref FBeta, nameof(FBeta));
    }

    public readonly void Check(KernelCheck check)
    {
        RecurrentFrame f = Frame();
        RecurrentChecks.Check(check, in f, X, Lengths, InitialH, default, Y, LastH, default, Bias, 1);
        check.Present(X, W, R);
        check.InRange(Reverse, 0, 1);
        check.InRange(F, 0, (long)RecurrentActivation.ThresholdedRelu);
        RecurrentChecks.Matrix(check, W, Inputs, Hidden);
        RecurrentChecks.Matrix(check, R, Hidden, Hidden);
    }

    /// <summary>What it has in common with other recurrent operators, of bound arguments.</summary>
    public readonly RecurrentFrame Frame() => new()
    {
        X = X, W = W, Bias = Bias, Lengths = Lengths, InitialH = InitialH, Y = Y, LastH = LastH, Steps = Steps, Batch = Batch, Inputs = Inputs, Hidden = Hidden,
        XStep = XStep, XBatch = XBatch, YStep = YStep, YBatch = YBatch, InitialHBatch = InitialHBatch, LastHBatch = LastHBatch, Reverse = Reverse == 1,
    };
}

/// <summary>The code of <see cref="RnnF32Arguments"/>.</summary>
internal static unsafe class RnnF32
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TFloats, TVector>(RnnF32Arguments* a, long first, long last, byte* scratch)
        where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
    {
        RecurrentFrame f = a->Frame();
        f.Arguments = a;
        RecurrentCore.Run<Cell<TFloats, TVector>>(&f, first, last, scratch);
    }

    private readonly struct Cell<TFloats, TVector> : IRecurrentCell where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
    {
        public static int Gates => 1;

        public static void Begin(RecurrentFrame* f)
        {
        }

        public static void Project(RecurrentFrame* f, float** rows, long count, float* bias, float* projected) =>
            RecurrentGemm<TFloats, TVector>.Project(f, rows, count, bias, projected, Gates);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Step(RecurrentFrame* f)
        {
            var a = (RnnF32Arguments*)f->Arguments;
            RecurrentProduct p = new()
            {
                X = f->H, W = a->R, Start = f->Projected, StartStride = f->GateStride, Y = f->Gates, YStride = f->GateStride, Rows = f->Rows, K = f->Hidden,
                Columns = f->Hidden, IsBackward = (f->Step & 1) == 0,
            };
            RecurrentGemm<TFloats, TVector>.Run(&p);
            RecurrentFunction function = new(a->F, a->FAlpha, a->FBeta);
            TVector clip = TFloats.Broadcast(a->Clip > 0 ? a->Clip : float.PositiveInfinity);
            for (long r = 0; r < f->Rows; r++)
            {
                if (!f->IsActive(r)) continue;
                float* gates = f->Gates + r * f->GateStride, next = f->Next[r];
                for (long j = 0; j < f->Hidden; j += TFloats.Count)
                {
                    TVector x = RecurrentMath<TFloats, TVector>.Clip(TFloats.Load(gates + j), clip);
                    TFloats.Store(function.Kind == RecurrentActivation.Tanh ? RecurrentMath<TFloats, TVector>.Tanh(x)
                        : RecurrentMath<TFloats, TVector>.Apply(function, x), next + j);
                }
            }
        }
    }
}
