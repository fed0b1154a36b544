using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// One direction of ONNX Runtime's DynamicQuantizeLSTM: weights are int8, without zero points; all of x is quantized to uint8 by its range in the call, and the
/// state by its range in each step, for all sequences that are run together (<see cref="RecurrentFrame.MostRows"/> at most). Sums are int32 and exact, gates
/// are float. Sigmoid and tanh, no clip. Otherwise as <see cref="LstmF32Arguments"/>.
/// </summary>
internal unsafe struct LstmDynamicInt8Arguments : IKernelArguments<LstmDynamicInt8Arguments>
{
    /// <summary>Columns of weights for a hidden unit.</summary>
    public const int Gates = 4;

    /// <summary>x, float: [Steps, Batch, Inputs] by <see cref="XStep"/> and <see cref="XBatch"/>.</summary>
    public Operand X;
    /// <summary><see cref="DenseInt8Packing"/> of the direction's W [Inputs, 4 Hidden], as the operator has it.</summary>
    public Operand W;
    /// <summary>The same of R [Hidden, 4 Hidden].</summary>
    public Operand R;
    /// <summary>Scales of W, 4 Hidden floats, padded to <see cref="Panels.PaddedColumns"/>; one scale for all weights is repeated.</summary>
    public Operand WScale;
    /// <summary>The same of R.</summary>
    public Operand RScale;
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
    public Size Steps, Batch, Inputs, Hidden, XStep, XBatch, YStep, YBatch, InitialHBatch, InitialCBatch, LastHBatch, LastCBatch;
    /// <summary>1: from the last step of each sequence to its first.</summary>
    public Size Reverse;
    /// <summary>1 if all weights of W, or R, are within -64 to 64.</summary>
    public Size WNarrow, RNarrow;

    public static Kernel<LstmDynamicInt8Arguments> Kernel { get; } = new(KernelIds.LstmDynamicInt8, "LstmDynamicInt8",
        new("avxvnni512", AvxVnni.IsSupported && Vector512.IsHardwareAccelerated,
            LstmDynamicInt8.Select<RecurrentInt8Avx2<VnniDot, VnniDot>, Floats512, Vector512<float>>),
        new("avxvnni", AvxVnni.IsSupported && Fma.IsSupported, LstmDynamicInt8.Select<RecurrentInt8Avx2<VnniDot, VnniDot>, Floats256, Vector256<float>>),
        new("avx512", Avx2.IsSupported && Vector512.IsHardwareAccelerated,
            LstmDynamicInt8.Select<RecurrentInt8Avx2<NarrowDot, WideDot>, Floats512, Vector512<float>>),
        new("avx2", Avx2.IsSupported && Fma.IsSupported, LstmDynamicInt8.Select<RecurrentInt8Avx2<NarrowDot, WideDot>, Floats256, Vector256<float>>),
        new("vector128", true, LstmDynamicInt8.Select<RecurrentInt8Vector128, Floats128, Vector128<float>>));

    public readonly long Tiles => RecurrentCore.Tiles(Batch);

    public readonly long Scratch => RecurrentCore.Scratch(Hidden, Gates) + RecurrentQuantizer.Scratch(Inputs, Hidden);

    public readonly double Work => RecurrentCore.Work(Steps, Batch, Inputs, Hidden, Gates);

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DenseInt8, Packings.DenseInt7);
        visitor.Constant(ref R, nameof(R), Packings.DenseInt8, Packings.DenseInt7);
        visitor.Input(ref WScale, nameof(WScale), ModelElementType.Float);
        visitor.Input(ref RScale, nameof(RScale), ModelElementType.Float);
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
        visitor.Size(ref WNarrow, nameof(WNarrow));
        visitor.Size(ref RNarrow, nameof(RNarrow));
    }

    public readonly void Check(KernelCheck check)
    {
        RecurrentFrame f = Frame();
        RecurrentChecks.Check(check, in f, X, Lengths, InitialH, InitialC, Y, LastH, LastC, Bias, Gates);
        check.Present(X, W, R, WScale, RScale);
        check.InRange(Reverse, 0, 1);
        check.InRange(WNarrow, 0, 1);
        check.InRange(RNarrow, 0, 1);
        check.Packed(W, WNarrow == 1 ? Packings.DenseInt7 : Packings.DenseInt8);
        check.Packed(R, RNarrow == 1 ? Packings.DenseInt7 : Packings.DenseInt8);
        check.Bytes(W, DenseInt8Packing.Length(Inputs, Gates * Hidden));
        check.Bytes(R, DenseInt8Packing.Length(Hidden, Gates * Hidden));
        check.Reaches(WScale, Panels.PaddedColumns(Gates * Hidden));
        check.Reaches(RScale, Panels.PaddedColumns(Gates * Hidden));
        check.Reaches(Peepholes, 3 * Hidden);
    }

    /// <summary>What it has in common with other recurrent operators, of bound arguments.</summary>
    public readonly RecurrentFrame Frame() => new()
    {
        X = X, Bias = Bias, Lengths = Lengths, InitialH = InitialH, InitialC = InitialC, Y = Y, LastH = LastH, LastC = LastC,
        Steps = Steps, Batch = Batch, Inputs = Inputs, Hidden = Hidden, XStep = XStep, XBatch = XBatch, YStep = YStep, YBatch = YBatch,
        InitialHBatch = InitialHBatch, InitialCBatch = InitialCBatch, LastHBatch = LastHBatch, LastCBatch = LastCBatch, Reverse = Reverse == 1,
    };
}

/// <summary>The code of <see cref="LstmDynamicInt8Arguments"/>.</summary>
internal static unsafe class LstmDynamicInt8
{
    public static delegate*<LstmDynamicInt8Arguments*, long, long, byte*, void> Select<TPath, TFloats, TVector>(in LstmDynamicInt8Arguments arguments)
        where TPath : struct, IRecurrentInt8Path where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged =>
        arguments.Peepholes.IsPresent ? &Run<Cell<LstmF32.Peephole, TPath, TFloats, TVector>> : &Run<Cell<LstmF32.Plain, TPath, TFloats, TVector>>;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TCell>(LstmDynamicInt8Arguments* a, long first, long last, byte* scratch) where TCell : struct, IRecurrentCell
    {
        RecurrentFrame f = a->Frame();
        f.Arguments = a;
        RecurrentCore.Run<TCell>(&f, first, last, scratch);
    }

    private readonly struct Cell<TOptions, TPath, TFloats, TVector> : IRecurrentCell where TOptions : struct, LstmF32.IOptions
        where TPath : struct, IRecurrentInt8Path where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
    {
        public static int Gates => LstmDynamicInt8Arguments.Gates;

        public static void Begin(RecurrentFrame* f) => RecurrentInputInt8.Measure(f);

        public static void Project(RecurrentFrame* f, float** rows, long count, float* bias, float* projected)
        {
            var a = (LstmDynamicInt8Arguments*)f->Arguments;
            RecurrentInt8Product p = new() { W = a->W, Scale = a->WScale, Columns = Gates * f->Hidden };
            RecurrentInputInt8.Project<TPath>(f, rows, count, bias, projected, p, a->WNarrow == 1);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Step(RecurrentFrame* f)
        {
            var a = (LstmDynamicInt8Arguments*)f->Arguments;
            var bytes = f->Own + RecurrentQuantizer.Header;
            var stride = RecurrentQuantizer.Stride(f->Hidden);
            RecurrentQuantizer quantizer = default;
            // A sequence that ended before the last step counts for nothing.
            for (long r = 0; r < f->Rows; r++)
            {
                if (f->Step <= f->LengthOf(f->FirstRow + r)) quantizer.Measure(f->H[r], f->Hidden);
            }
            quantizer.Choose();
            for (long r = 0; r < f->Rows; r++) quantizer.Quantize(f->H[r], bytes + r * stride, f->Hidden);
            RecurrentInt8Product p = new()
            {
                X = bytes, XStride = stride, W = a->R, Scale = a->RScale, Start = f->Projected, StartStride = f->GateStride, Y = f->Gates,
                YStride = f->GateStride, Rows = f->Rows, K = f->Hidden, Columns = Gates * f->Hidden, Factor = quantizer.Scale, Zero = quantizer.Zero,
            };
            if (a->RNarrow == 1) TPath.RunNarrow(&p);
            else TPath.Run(&p);
            LstmGates<TOptions, TFloats, TVector>.Run(f, new() { Peepholes = a->Peepholes });
        }
    }
}
