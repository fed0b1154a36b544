using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// One direction of ONNX GRU. Gates are in ONNX's order: update, reset, hidden. Strides are in floats; layout 1, and the place of a direction in X, Y and
/// states, are a matter of strides and offsets.
/// </summary>
internal unsafe struct GruF32Arguments : IKernelArguments<GruF32Arguments>
{
    /// <summary>Columns of weights for a hidden unit.</summary>
    public const int Gates = 3;

    /// <summary>x, float: [Steps, Batch, Inputs] by <see cref="XStep"/> and <see cref="XBatch"/>.</summary>
    public Operand X;
    /// <summary><see cref="DenseF32Packing"/> of the direction's W, transposed: K = Inputs, N = 3 Hidden.</summary>
    public Operand W;
    /// <summary>The same of the first 2 Hidden rows of R, for the update and reset gates: K = Hidden, N = 2 Hidden.</summary>
    public Operand R;
    /// <summary>The same of the last Hidden rows of R, for candidates: K = Hidden, N = Hidden.</summary>
    public Operand RHidden;
    /// <summary>
    /// 3 Hidden floats, padded to <see cref="Panels.PaddedColumns"/>: Wb + Rb, but for candidates Wb alone if <see cref="LinearBeforeReset"/>. Optional:
    /// <see cref="RecurrentPacking.GruBias"/>.
    /// </summary>
    public Operand Bias;
    /// <summary>With <see cref="LinearBeforeReset"/> Rb of candidates, Hidden floats, padded to <see cref="Panels.PaddedColumns"/>; without left out. Optional:
    /// <see cref="RecurrentPacking.GruHiddenBias"/>.</summary>
    public Operand HiddenBias;
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
    /// <summary>1: the reset gate multiplies the product of state and weights; 0: the state.</summary>
    public Size LinearBeforeReset;
    /// <summary><see cref="RecurrentActivation"/> of gates, and of candidates.</summary>
    public Size F;
    public Size G;
    /// <summary>Limit of what gates and candidates get; 0 for none.</summary>
    public float Clip;
    public float FAlpha;
    public float FBeta;
    public float GAlpha;
    public float GBeta;

    public static Kernel<GruF32Arguments> Kernel { get; } = new(KernelIds.GruF32, "GruF32",
        new("avx512", Vector512.IsHardwareAccelerated, GruF32.Select<Floats512, Vector512<float>>),
        new("avx2", Fma.IsSupported && Avx2.IsSupported, GruF32.Select<Floats256, Vector256<float>>),
        new("vector128", true, GruF32.Select<Floats128, Vector128<float>>));

    public readonly long Tiles => RecurrentCore.Tiles(Batch);

    public readonly long Scratch => RecurrentCore.Scratch(Hidden, Gates);

    public readonly double Work => RecurrentCore.Work(Steps, Batch, Inputs, Hidden, Gates);

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DenseF32);
        visitor.Constant(ref R, nameof(R), Packings.DenseF32);
        visitor.Constant(ref RHidden, nameof(RHidden), Packings.DenseF32);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Float);
        visitor.Input(ref HiddenBias, nameof(HiddenBias), ModelElementType.Float);
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
        visitor.Size(ref LinearBeforeReset, nameof(LinearBeforeReset));
        visitor.Size(ref F, nameof(F));
        visitor.Size(ref G, nameof(G));
        visitor.Number(ref Clip, nameof(Clip));
        visitor.Number(ref FAlpha, nameof(FAlpha));
        visitor.Number(ref FBeta, nameof(FBeta));
        visitor.Number(ref GAlpha, nameof(GAlpha));
        visitor.Number(ref GBeta, nameof(GBeta));
    }

    public readonly void Check(KernelCheck check)
    {
        RecurrentFrame f = Frame();
        RecurrentChecks.Check(check, in f, X, Lengths, InitialH, default, Y, LastH, default, Bias, Gates);
        check.Present(X, W, R, RHidden);
        check.InRange(Reverse, 0, 1);
        check.InRange(LinearBeforeReset, 0, 1);
        check.InRange(F, 0, (long)RecurrentActivation.ThresholdedRelu);
        check.InRange(G, 0, (long)RecurrentActivation.ThresholdedRelu);
        RecurrentChecks.Matrix(check, W, Inputs, Gates * Hidden);
        RecurrentChecks.Matrix(check, R, Hidden, 2 * Hidden);
        RecurrentChecks.Matrix(check, RHidden, Hidden, Hidden);
        check.Reaches(HiddenBias, Panels.PaddedColumns(Hidden));
    }

    /// <summary>What it has in common with other recurrent operators, of bound arguments.</summary>
    public readonly RecurrentFrame Frame() => new()
    {
        X = X, W = W, Bias = Bias, Lengths = Lengths, InitialH = InitialH, Y = Y, LastH = LastH, Steps = Steps, Batch = Batch, Inputs = Inputs, Hidden = Hidden,
        XStep = XStep, XBatch = XBatch, YStep = YStep, YBatch = YBatch, InitialHBatch = InitialHBatch, LastHBatch = LastHBatch, Reverse = Reverse == 1,
        NeedsZeros = LinearBeforeReset == 1 && !HiddenBias.IsPresent,
    };

    /// <summary>Whether it is the GRU of nearly all models: sigmoid and tanh, nothing else.</summary>
    public readonly bool IsPlain => F == (long)RecurrentActivation.Sigmoid && G == (long)RecurrentActivation.Tanh && Clip == 0;
}

/// <summary>The code of <see cref="GruF32Arguments"/>.</summary>
internal static unsafe class GruF32
{
    public static delegate*<GruF32Arguments*, long, long, byte*, void> Select<TFloats, TVector>(in GruF32Arguments arguments)
        where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged =>
        arguments.IsPlain ? &Run<Cell<Plain, TFloats, TVector>> : &Run<Cell<General, TFloats, TVector>>;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TCell>(GruF32Arguments* a, long first, long last, byte* scratch) where TCell : struct, IRecurrentCell
    {
        RecurrentFrame f = a->Frame();
        f.Arguments = a;
        RecurrentCore.Run<TCell>(&f, first, last, scratch);
    }

    /// <summary>Which of the options are looked at.</summary>
    internal interface IOptions
    {
        static abstract bool IsGeneral { get; }
    }

    internal readonly struct Plain : IOptions
    {
        public static bool IsGeneral => false;
    }

    internal readonly struct General : IOptions
    {
        public static bool IsGeneral => true;
    }

    private readonly struct Cell<TOptions, TFloats, TVector> : IRecurrentCell
        where TOptions : struct, IOptions where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
    {
        public static int Gates => GruF32Arguments.Gates;

        public static void Begin(RecurrentFrame* f)
        {
        }

        public static void Project(RecurrentFrame* f, float** rows, long count, float* bias, float* projected) =>
            RecurrentGemm<TFloats, TVector>.Project(f, rows, count, bias, projected, Gates);

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Step(RecurrentFrame* f)
        {
            var a = (GruF32Arguments*)f->Arguments;
            var hidden = f->Hidden;
            var linear = a->LinearBeforeReset == 1;
            var products = f->Gates + RecurrentFrame.MostRows * f->GateStride;
            RecurrentProduct p = new()
            {
                X = f->H, W = a->R, Start = f->Projected, StartStride = f->GateStride, Y = f->Gates, YStride = f->GateStride, Rows = f->Rows, K = hidden,
                Columns = 2 * hidden, IsBackward = (f->Step & 1) == 0,
            };
            RecurrentGemm<TFloats, TVector>.Run(&p);
            GruOptions options = new() { Clip = a->Clip, Gate = new(a->F, a->FAlpha, a->FBeta), Candidate = new(a->G, a->GAlpha, a->GBeta) };
            // Without the linear form, the product takes states times reset gates.
            var reset = stackalloc float*[RecurrentFrame.MostRows];
            if (!linear)
            {
                GruGates<TOptions, TFloats, TVector>.Mask(f, in options, reset);
                p.X = reset;
            }
            p.W = a->RHidden;
            p.Columns = hidden;
            p.Y = products;
            if (!linear) p.Start = f->Projected + 2 * hidden;
            else
            {
                p.Start = a->HiddenBias.IsPresent ? a->HiddenBias : f->Zeros;
                p.StartStride = 0;
            }
            RecurrentGemm<TFloats, TVector>.Run(&p);
            GruGates<TOptions, TFloats, TVector>.Run(f, in options, products, f->GateStride, linear);
        }
    }
}

/// <summary>What a GRU may have beside weights.</summary>
internal struct GruOptions
{
    /// <summary>0 for none.</summary>
    public float Clip;
    public RecurrentFunction Gate, Candidate;
}

/// <summary>What a GRU does with the sums of its gates.</summary>
internal static unsafe class GruGates<TOptions, TFloats, TVector>
    where TOptions : struct, GruF32.IOptions where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
{
    /// <summary>States times reset gates, a row for each sequence, in <see cref="RecurrentFrame.Side"/>.</summary>
    /// <param name="f">The frame.</param>
    /// <param name="options">The options.</param>
    /// <param name="rows">Gets the rows.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mask(RecurrentFrame* f, in GruOptions options, float** rows)
    {
        var hidden = f->Hidden;
        RecurrentFunction gate = options.Gate;
        TVector clip = TFloats.Broadcast(options.Clip > 0 ? options.Clip : float.PositiveInfinity);
        for (long r = 0; r < f->Rows; r++)
        {
            float* gates = f->Gates + r * f->GateStride + hidden, h = f->H[r], side = f->Side + r * f->StateStride;
            for (long j = 0; j < hidden; j += TFloats.Count)
                TFloats.Store(TFloats.Multiply(Gate(TFloats.Load(gates + j), gate, clip), TFloats.Load(h + j)), side + j);
            rows[r] = side;
        }
    }

    /// <summary>The next states.</summary>
    /// <param name="f">The frame.</param>
    /// <param name="options">The options.</param>
    /// <param name="products">Sums of candidates; of the linear form without the projection, which the reset gate does not touch.</param>
    /// <param name="stride">Floats from one row of products to the next.</param>
    /// <param name="linear">Whether the reset gate multiplies products.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(RecurrentFrame* f, in GruOptions options, float* products, long stride, bool linear)
    {
        var hidden = f->Hidden;
        RecurrentFunction gate = options.Gate, candidate = options.Candidate;
        TVector clip = TFloats.Broadcast(options.Clip > 0 ? options.Clip : float.PositiveInfinity);
        for (long r = 0; r < f->Rows; r++)
        {
            if (!f->IsActive(r)) continue;
            float* gates = f->Gates + r * f->GateStride, product = products + r * stride, x = f->Projected + r * f->GateStride + 2 * hidden;
            float* h = f->H[r], next = f->Next[r];
            for (long j = 0; j < hidden; j += TFloats.Count)
            {
                TVector z = Gate(TFloats.Load(gates + j), gate, clip), n = TFloats.Load(product + j);
                if (linear) n = TFloats.MultiplyAdd(Gate(TFloats.Load(gates + hidden + j), gate, clip), n, TFloats.Load(x + j));
                n = TOptions.IsGeneral ? RecurrentMath<TFloats, TVector>.Apply(candidate, RecurrentMath<TFloats, TVector>.Clip(n, clip))
                    : RecurrentMath<TFloats, TVector>.Tanh(n);
                // (1 - z) n + z h
                TFloats.Store(TFloats.MultiplyAdd(z, TFloats.Subtract(TFloats.Load(h + j), n), n), next + j);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Gate(TVector x, RecurrentFunction f, TVector clip) => TOptions.IsGeneral
        ? RecurrentMath<TFloats, TVector>.Apply(f, RecurrentMath<TFloats, TVector>.Clip(x, clip)) : RecurrentMath<TFloats, TVector>.Sigmoid(x);
}
