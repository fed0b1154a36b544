using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// One direction of ModelBuild's DynamicQuantizeGRU: weights are int8, without zero points; all of x is quantized to uint8 by its range in the call, the state
/// of each sequence by its own range in each step, and so is the state that the reset gate has masked. Sums are int32 and exact, gates are float. Sigmoid and
/// tanh, no clip. Otherwise as <see cref="GruF32Arguments"/>.
/// </summary>
internal unsafe struct GruDynamicInt8Arguments : IKernelArguments<GruDynamicInt8Arguments>
{
    /// <summary>Columns of weights for a hidden unit.</summary>
    public const int Gates = 3;

    /// <summary>x, float: [Steps, Batch, Inputs] by <see cref="XStep"/> and <see cref="XBatch"/>.</summary>
    public Operand X;
    /// <summary><see cref="DenseInt8Packing"/> of the direction's W [Inputs, 3 Hidden], as the operator has it.</summary>
    public Operand W;
    /// <summary>The same of the first 2 Hidden columns of R, for the update and reset gates.</summary>
    public Operand R;
    /// <summary>The same of the last Hidden columns of R, for candidates.</summary>
    public Operand RHidden;
    /// <summary>Scales of W, 3 Hidden floats, padded to <see cref="Panels.PaddedColumns"/>; one scale for all weights is repeated.</summary>
    public Operand WScale;
    /// <summary>The same of R, 2 Hidden floats, and of RHidden, Hidden floats.</summary>
    public Operand RScale;
    public Operand RHiddenScale;
    /// <summary>3 Hidden floats: <see cref="RecurrentPacking.GruBias"/>. Optional.</summary>
    public Operand Bias;
    /// <summary>With <see cref="LinearBeforeReset"/>: <see cref="RecurrentPacking.GruHiddenBias"/>. Optional.</summary>
    public Operand HiddenBias;
    /// <summary>Steps of each sequence, int32[Batch]. Optional.</summary>
    public Operand Lengths;
    /// <summary>Optional; zeros without.</summary>
    public Operand InitialH;
    /// <summary>All states, [Steps, Batch, Hidden] by <see cref="YStep"/> and <see cref="YBatch"/>. Optional.</summary>
    public Operand Y;
    /// <summary>The last state of each sequence. Optional; may be <see cref="InitialH"/>.</summary>
    public Operand LastH;
    public Size Steps, Batch, Inputs, Hidden, XStep, XBatch, YStep, YBatch, InitialHBatch, LastHBatch;
    /// <summary>1: from the last step of each sequence to its first.</summary>
    public Size Reverse;
    /// <summary>1: the reset gate multiplies the product of state and weights; 0: the state.</summary>
    public Size LinearBeforeReset;
    /// <summary>1 if all weights of W, R, or RHidden, are within -64 to 64.</summary>
    public Size WNarrow, RNarrow, RHiddenNarrow;

    public static Kernel<GruDynamicInt8Arguments> Kernel { get; } = new(KernelIds.GruDynamicInt8, "GruDynamicInt8",
        new("avxvnni512", AvxVnni.IsSupported && Vector512.IsHardwareAccelerated,
            GruDynamicInt8.Select<RecurrentInt8Avx2<VnniDot, VnniDot>, Floats512, Vector512<float>>),
        new("avxvnni", AvxVnni.IsSupported && Fma.IsSupported, GruDynamicInt8.Select<RecurrentInt8Avx2<VnniDot, VnniDot>, Floats256, Vector256<float>>),
        new("avx512", Avx2.IsSupported && Vector512.IsHardwareAccelerated,
            GruDynamicInt8.Select<RecurrentInt8Avx2<NarrowDot, WideDot>, Floats512, Vector512<float>>),
        new("avx2", Avx2.IsSupported && Fma.IsSupported, GruDynamicInt8.Select<RecurrentInt8Avx2<NarrowDot, WideDot>, Floats256, Vector256<float>>),
        new("vector128", true, GruDynamicInt8.Select<RecurrentInt8Vector128, Floats128, Vector128<float>>));

    public readonly long Tiles => RecurrentCore.Tiles(Batch);

    public readonly long Scratch => RecurrentCore.Scratch(Hidden, Gates) + RecurrentQuantizer.Scratch(Inputs, Hidden);

    public readonly double Work => RecurrentCore.Work(Steps, Batch, Inputs, Hidden, Gates);

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DenseInt8, Packings.DenseInt7);
        visitor.Constant(ref R, nameof(R), Packings.DenseInt8, Packings.DenseInt7);
        visitor.Constant(ref RHidden, nameof(RHidden), Packings.DenseInt8, Packings.DenseInt7);
        visitor.Input(ref WScale, nameof(WScale), ModelElementType.Float);
        visitor.Input(ref RScale, nameof(RScale), ModelElementType.Float);
        visitor.Input(ref RHiddenScale, nameof(RHiddenScale), ModelElementType.Float);
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
        visitor.Size(ref WNarrow, nameof(WNarrow));
        visitor.Size(ref RNarrow, nameof(RNarrow));
        visitor.Size(ref RHiddenNarrow, nameof(RHiddenNarrow));
    }

    public readonly void Check(KernelCheck check)
    {
        RecurrentFrame f = Frame();
        RecurrentChecks.Check(check, in f, X, Lengths, InitialH, default, Y, LastH, default, Bias, Gates);
        check.Present(X, W, R, RHidden, WScale, RScale, RHiddenScale);
        check.InRange(Reverse, 0, 1);
        check.InRange(LinearBeforeReset, 0, 1);
        Matrix(W, WScale, WNarrow, Inputs, Gates * Hidden);
        Matrix(R, RScale, RNarrow, Hidden, 2 * Hidden);
        Matrix(RHidden, RHiddenScale, RHiddenNarrow, Hidden, Hidden);
        check.Reaches(HiddenBias, Panels.PaddedColumns(Hidden));

        void Matrix(Operand weights, Operand scale, Size narrow, long rows, long columns)
        {
            check.InRange(narrow, 0, 1);
            check.Packed(weights, narrow == 1 ? Packings.DenseInt7 : Packings.DenseInt8);
            check.Bytes(weights, DenseInt8Packing.Length(rows, columns));
            check.Reaches(scale, Panels.PaddedColumns(columns));
        }
    }

    /// <summary>What it has in common with other recurrent operators, of bound arguments.</summary>
    public readonly RecurrentFrame Frame() => new()
    {
        X = X, Bias = Bias, Lengths = Lengths, InitialH = InitialH, Y = Y, LastH = LastH, Steps = Steps, Batch = Batch, Inputs = Inputs, Hidden = Hidden,
        XStep = XStep, XBatch = XBatch, YStep = YStep, YBatch = YBatch, InitialHBatch = InitialHBatch, LastHBatch = LastHBatch, Reverse = Reverse == 1,
        NeedsZeros = LinearBeforeReset == 1 && !HiddenBias.IsPresent,
    };
}

/// <summary>The code of <see cref="GruDynamicInt8Arguments"/>.</summary>
internal static unsafe class GruDynamicInt8
{
    public static delegate*<GruDynamicInt8Arguments*, long, long, byte*, void> Select<TPath, TFloats, TVector>(in GruDynamicInt8Arguments arguments)
        where TPath : struct, IRecurrentInt8Path where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged => &Run<Cell<TPath, TFloats, TVector>>;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TCell>(GruDynamicInt8Arguments* a, long first, long last, byte* scratch) where TCell : struct, IRecurrentCell
    {
        RecurrentFrame f = a->Frame();
        f.Arguments = a;
        RecurrentCore.Run<TCell>(&f, first, last, scratch);
    }

    private readonly struct Cell<TPath, TFloats, TVector> : IRecurrentCell
        where TPath : struct, IRecurrentInt8Path where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
    {
        public static int Gates => GruDynamicInt8Arguments.Gates;

        public static void Begin(RecurrentFrame* f) => RecurrentInputInt8.Measure(f);

        public static void Project(RecurrentFrame* f, float** rows, long count, float* bias, float* projected)
        {
            var a = (GruDynamicInt8Arguments*)f->Arguments;
            RecurrentInt8Product p = new() { W = a->W, Scale = a->WScale, Columns = Gates * f->Hidden };
            RecurrentInputInt8.Project<TPath>(f, rows, count, bias, projected, p, a->WNarrow == 1);
        }

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Step(RecurrentFrame* f)
        {
            var a = (GruDynamicInt8Arguments*)f->Arguments;
            var hidden = f->Hidden;
            var linear = a->LinearBeforeReset == 1;
            var products = f->Gates + RecurrentFrame.MostRows * f->GateStride;
            Product(f, f->H, new() { W = a->R, Scale = a->RScale, Columns = 2 * hidden }, a->RNarrow == 1, f->Projected, f->GateStride, f->Gates);
            GruOptions options = default;
            RecurrentInt8Product candidate = new() { W = a->RHidden, Scale = a->RHiddenScale, Columns = hidden };
            if (linear) Product(f, f->H, candidate, a->RHiddenNarrow == 1, a->HiddenBias.IsPresent ? a->HiddenBias : f->Zeros, 0, products);
            else
            {
                var masked = stackalloc float*[RecurrentFrame.MostRows];
                GruGates<GruF32.Plain, TFloats, TVector>.Mask(f, in options, masked);
                Product(f, masked, candidate, a->RHiddenNarrow == 1, f->Projected + 2 * hidden, f->GateStride, products);
            }
            GruGates<GruF32.Plain, TFloats, TVector>.Run(f, in options, products, f->GateStride, linear);
        }

        // Each row has a range of its own, so that a sequence answers the same whatever others run beside it.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Product(RecurrentFrame* f, float** rows, RecurrentInt8Product p, bool isNarrow, float* start, long startStride, float* y)
        {
            p.X = f->Own + RecurrentQuantizer.Header;
            p.XStride = RecurrentQuantizer.Stride(f->Hidden);
            p.YStride = f->GateStride;
            p.K = f->Hidden;
            p.Rows = 1;
            for (long r = 0; r < f->Rows; r++)
            {
                RecurrentQuantizer quantizer = default;
                quantizer.Measure(rows[r], f->Hidden);
                quantizer.Choose();
                quantizer.Quantize(rows[r], p.X, f->Hidden);
                p.Factor = quantizer.Scale;
                p.Zero = quantizer.Zero;
                p.Start = start + r * startStride;
                p.Y = y + r * f->GateStride;
                if (isNarrow) TPath.RunNarrow(&p);
                else TPath.Run(&p);
            }
        }
    }
}
