using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// One direction of ONNX LSTM. Gates are in ONNX's order: input, output, forget, cell. Strides are in floats; layout 1, and the place of a direction
/// in X, Y and states, are a matter of strides and offsets.
/// </summary>
internal unsafe struct LstmF32Arguments : IKernelArguments<LstmF32Arguments>
{
    /// <summary>Columns of weights for a hidden unit.</summary>
    public const int Gates = 4;

    /// <summary>x, float: [Steps, Batch, Inputs] by <see cref="XStep"/> and <see cref="XBatch"/>.</summary>
    public Operand X;
    /// <summary><see cref="DenseF32Packing"/> of the direction's W, transposed: K = Inputs, N = 4 Hidden.</summary>
    public Operand W;
    /// <summary>The same of R: K = Hidden, N = 4 Hidden.</summary>
    public Operand R;
    /// <summary>Wb + Rb, 4 Hidden floats, padded to <see cref="Panels.PaddedColumns"/>: <see cref="RecurrentPacking.Bias"/>. Optional.</summary>
    public Operand Bias;
    /// <summary>ONNX's P: 3 Hidden floats, for the input, output and forget gates. Optional.</summary>
    public Operand Peepholes;
    /// <summary>Steps of each sequence, int32[Batch]. Optional.</summary>
    public Operand Lengths;
    /// <summary>Optional; zeros without.</summary>
    public Operand InitialH;
    /// <summary>Optional; zeros without.</summary>
    public Operand InitialC;
    /// <summary>All states, [Steps, Batch, Hidden] by <see cref="YStep"/> and <see cref="YBatch"/>. Optional.</summary>
    public Operand Y;
    /// <summary>The last state of each sequence. Optional; may be <see cref="InitialH"/>.</summary>
    public Operand LastH;
    /// <summary>The last cell of each sequence. Optional; may be <see cref="InitialC"/>.</summary>
    public Operand LastC;
    public Size Steps;
    public Size Batch;
    public Size Inputs;
    public Size Hidden;
    public Size XStep;
    public Size XBatch;
    public Size YStep;
    public Size YBatch;
    public Size InitialHBatch;
    public Size InitialCBatch;
    public Size LastHBatch;
    public Size LastCBatch;
    /// <summary>1: from the last step of each sequence to its first.</summary>
    public Size Reverse;
    /// <summary>1: the forget gate is 1 minus the input gate.</summary>
    public Size InputForget;
    /// <summary><see cref="RecurrentActivation"/> of gates, of candidates, and of cells.</summary>
    public Size F;
    public Size G;
    public Size H;
    /// <summary>Limit of what gates and candidates get; 0 for none.</summary>
    public float Clip;
    public float FAlpha;
    public float FBeta;
    public float GAlpha;
    public float GBeta;
    public float HAlpha;
    public float HBeta;

    public static Kernel<LstmF32Arguments> Kernel { get; } = new(KernelIds.LstmF32, "LstmF32",
        new("avx512", Vector512.IsHardwareAccelerated, LstmF32.Select<Floats512, Vector512<float>>),
        new("avx2", Fma.IsSupported && Avx2.IsSupported, LstmF32.Select<Floats256, Vector256<float>>),
        new("vector128", true, LstmF32.Select<Floats128, Vector128<float>>));

    public readonly long Tiles => RecurrentCore.Tiles(Batch);

    public readonly long Scratch => RecurrentCore.Scratch(Hidden, Gates);

    public readonly double Work => RecurrentCore.Work(Steps, Batch, Inputs, Hidden, Gates);

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DenseF32);
        visitor.Constant(ref R, nameof(R), Packings.DenseF32);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Float);
        visitor.Input(ref Peepholes, nameof(Peepholes), ModelElementType.Float);
        visitor.Input(ref Lengths, nameof(Lengths), ModelElementType.Int32);
        visitor.Input(ref InitialH, nameof(InitialH), ModelElementType.Float);
        visitor.Input(ref InitialC, nameof(InitialC), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Output(ref LastH, nameof(LastH), ModelElementType.Float);
        visitor.Output(ref LastC, nameof(LastC), ModelElementType.Float);
        visitor.Size(ref Steps, nameof(Steps));
        visitor.Size(ref Batch, nameof(Batch));
        visitor.Size(ref Inputs, nameof(Inputs));
        visitor.Size(ref Hidden, nameof(Hidden));
        visitor.Size(ref XStep, nameof(XStep));
        visitor.Size(ref XBatch, nameof(XBatch));
        visitor.Size(ref YStep, nameof(YStep));
        visitor.Size(ref YBatch, nameof(YBatch));
        visitor.Size(ref InitialHBatch, nameof(InitialHBatch));
        visitor.Size(ref InitialCBatch, nameof(InitialCBatch));
        visitor.Size(ref LastHBatch, nameof(LastHBatch));
        visitor.Size(ref LastCBatch, nameof(LastCBatch));
        visitor.Size(ref Reverse, nameof(Reverse));
        visitor.Size(ref InputForget, nameof(InputForget));
        visitor.Size(ref F, nameof(F));
        visitor.Size(ref G, nameof(G));
        visitor.Size(ref H, nameof(H));
        visitor.Number(ref Clip, nameof(Clip));
        visitor.Number(ref FAlpha, nameof(FAlpha));
        visitor.Number(ref FBeta, nameof(FBeta));
        visitor.Number(ref GAlpha, nameof(GAlpha));
        visitor.Number(ref GBeta, nameof(GBeta));
        visitor.Number(ref HAlpha, nameof(HAlpha));
        visitor.Number(ref HBeta, nameof(HBeta));
    }

    public readonly void Check(KernelCheck check)
    {
        RecurrentFrame f = Frame();
        RecurrentChecks.Check(check, in f, X, Lengths, InitialH, InitialC, Y, LastH, LastC, Bias, Gates);
        check.Present(X, W, R);
        check.InRange(Reverse, 0, 1);
        check.InRange(InputForget, 0, 1);
        check.InRange(F, 0, (long)RecurrentActivation.ThresholdedRelu);
        check.InRange(G, 0, (long)RecurrentActivation.ThresholdedRelu);
        check.InRange(H, 0, (long)RecurrentActivation.ThresholdedRelu);
        RecurrentChecks.Matrix(check, W, Inputs, Gates * Hidden);
        RecurrentChecks.Matrix(check, R, Hidden, Gates * Hidden);
        check.Reaches(Peepholes, 3 * Hidden);
    }

    /// <summary>What it has in common with other recurrent operators, of bound arguments.</summary>
    public readonly RecurrentFrame Frame() => new()
    {
        X = X, W = W, Bias = Bias, Lengths = Lengths, InitialH = InitialH, InitialC = InitialC, Y = Y, LastH = LastH, LastC = LastC,
        Steps = Steps, Batch = Batch, Inputs = Inputs, Hidden = Hidden, XStep = XStep, XBatch = XBatch, YStep = YStep, YBatch = YBatch,
        InitialHBatch = InitialHBatch, InitialCBatch = InitialCBatch, LastHBatch = LastHBatch, LastCBatch = LastCBatch, Reverse = Reverse == 1,
    };

    /// <summary>Whether it is the LSTM of nearly all models: sigmoid and tanh, nothing else.</summary>
    public readonly bool IsPlain => F == (long)RecurrentActivation.Sigmoid && G == (long)RecurrentActivation.Tanh && H == (long)RecurrentActivation.Tanh
        && Clip == 0 && InputForget == 0;
}

/// <summary>The code of <see cref="LstmF32Arguments"/>.</summary>
internal static unsafe class LstmF32
{
    public static delegate*<LstmF32Arguments*, long, long, byte*, void> Select<TFloats, TVector>(in LstmF32Arguments arguments)
        where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
    {
        if (!arguments.IsPlain) return &Run<Cell<General, TFloats, TVector>>;
        return arguments.Peepholes.IsPresent ? &Run<Cell<Peephole, TFloats, TVector>> : &Run<Cell<Plain, TFloats, TVector>>;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TCell>(LstmF32Arguments* a, long first, long last, byte* scratch) where TCell : struct, IRecurrentCell
    {
        RecurrentFrame f = a->Frame();
        f.Arguments = a;
        RecurrentCore.Run<TCell>(&f, first, last, scratch);
    }

    /// <summary>Which of the options are looked at.</summary>
    internal interface IOptions
    {
        static abstract bool HasPeepholes { get; }

        static abstract bool IsGeneral { get; }
    }

    internal readonly struct Plain : IOptions
    {
        public static bool HasPeepholes => false;

        public static bool IsGeneral => false;
    }

    internal readonly struct Peephole : IOptions
    {
        public static bool HasPeepholes => true;

        public static bool IsGeneral => false;
    }

    internal readonly struct General : IOptions
    {
        public static bool HasPeepholes => true;

        public static bool IsGeneral => true;
    }

    private readonly struct Cell<TOptions, TFloats, TVector> : IRecurrentCell
        where TOptions : struct, IOptions where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
    {
        public static int Gates => LstmF32Arguments.Gates;

        public static void Begin(RecurrentFrame* f)
        {
        }

        public static void Project(RecurrentFrame* f, float** rows, long count, float* bias, float* projected) =>
            RecurrentGemm<TFloats, TVector>.Project(f, rows, count, bias, projected, Gates);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Step(RecurrentFrame* f)
        {
            var a = (LstmF32Arguments*)f->Arguments;
            RecurrentProduct p = new()
            {
                X = f->H, W = a->R, Start = f->Projected, StartStride = f->GateStride, Y = f->Gates, YStride = f->GateStride, Rows = f->Rows, K = f->Hidden,
                Columns = Gates * f->Hidden, IsBackward = (f->Step & 1) == 0,
            };
            RecurrentGemm<TFloats, TVector>.Run(&p);
            LstmGates<TOptions, TFloats, TVector>.Run(f, new()
            {
                Peepholes = a->Peepholes, Clip = a->Clip, InputForget = a->InputForget == 1, Gate = new(a->F, a->FAlpha, a->FBeta),
                Candidate = new(a->G, a->GAlpha, a->GBeta), Cell = new(a->H, a->HAlpha, a->HBeta),
            });
        }
    }
}

/// <summary>What an LSTM may have beside weights.</summary>
internal unsafe struct LstmOptions
{
    public float* Peepholes;
    /// <summary>0 for none.</summary>
    public float Clip;
    public bool InputForget;
    public RecurrentFunction Gate, Candidate, Cell;
}

/// <summary>What an LSTM does with the sums of its gates.</summary>
internal static unsafe class LstmGates<TOptions, TFloats, TVector>
    where TOptions : struct, LstmF32.IOptions where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(RecurrentFrame* f, in LstmOptions options)
    {
        var hidden = f->Hidden;
        var peepholes = options.Peepholes;
        TVector clip = TFloats.Broadcast(options.Clip > 0 ? options.Clip : float.PositiveInfinity);
        RecurrentFunction gate = options.Gate, candidate = options.Candidate, output = options.Cell;
        for (long r = 0; r < f->Rows; r++)
        {
            if (!f->IsActive(r)) continue;
            float* gates = f->Gates + r * f->GateStride, c = f->C + r * f->StateStride, h = f->Next[r];
            // Lanes beyond the hidden units hold what comes next, and go nowhere but into padding.
            for (long j = 0; j < hidden; j += TFloats.Count)
            {
                TVector i = TFloats.Load(gates + j), o = TFloats.Load(gates + hidden + j), g = TFloats.Load(gates + 3 * hidden + j), cell = TFloats.Load(c + j);
                TVector forget = TFloats.Load(gates + 2 * hidden + j);
                if (TOptions.HasPeepholes && peepholes != null)
                {
                    i = TFloats.MultiplyAdd(TFloats.Load(peepholes + j), cell, i);
                    forget = TFloats.MultiplyAdd(TFloats.Load(peepholes + 2 * hidden + j), cell, forget);
                }
                if (TOptions.IsGeneral)
                {
                    i = RecurrentMath<TFloats, TVector>.Apply(gate, RecurrentMath<TFloats, TVector>.Clip(i, clip));
                    forget = options.InputForget ? TFloats.Subtract(TFloats.Broadcast(1), i)
                        : RecurrentMath<TFloats, TVector>.Apply(gate, RecurrentMath<TFloats, TVector>.Clip(forget, clip));
                    g = RecurrentMath<TFloats, TVector>.Apply(candidate, RecurrentMath<TFloats, TVector>.Clip(g, clip));
                }
                else
                {
                    i = RecurrentMath<TFloats, TVector>.Sigmoid(i);
                    forget = RecurrentMath<TFloats, TVector>.Sigmoid(forget);
                    g = RecurrentMath<TFloats, TVector>.Tanh(g);
                }
                cell = TFloats.MultiplyAdd(forget, cell, TFloats.Multiply(i, g));
                TFloats.Store(cell, c + j);
                if (TOptions.HasPeepholes && peepholes != null) o = TFloats.MultiplyAdd(TFloats.Load(peepholes + hidden + j), cell, o);
                if (TOptions.IsGeneral)
                {
                    o = RecurrentMath<TFloats, TVector>.Apply(gate, RecurrentMath<TFloats, TVector>.Clip(o, clip));
                    cell = RecurrentMath<TFloats, TVector>.Apply(output, cell);
                }
                else
                {
                    o = RecurrentMath<TFloats, TVector>.Sigmoid(o);
                    cell = RecurrentMath<TFloats, TVector>.Tanh(cell);
                }
                TFloats.Store(TFloats.Multiply(o, cell), h + j);
            }
        }
    }
}
