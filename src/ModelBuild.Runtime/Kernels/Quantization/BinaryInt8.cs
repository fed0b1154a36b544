using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// y = quantized(dequantized a op dequantized b) of 8 bits: add, subtract or multiply. Each step is rounded to float as the operators themselves round, so that
/// results are those of DequantizeLinear, the operator and QuantizeLinear, bit for bit.
/// </summary>
internal unsafe struct BinaryInt8Arguments : IKernelArguments<BinaryInt8Arguments>
{
    /// <summary>Add, Subtract or Multiply of <see cref="BinaryOperation"/>.</summary>
    public Size Operation;
    /// <summary>UInt8 or Int8.</summary>
    public ModelElementType AType, BType, YType;
    public Operand A, B, Y;
    public Loops Extents, AStrides, BStrides, YStrides;
    public Size AZero, BZero, YZero, YMinimum, YMaximum;
    public float AScale, BScale, YScale;

    public static Kernel<BinaryInt8Arguments> Kernel { get; } = new(KernelIds.BinaryInt8, "BinaryInt8", new Variant<BinaryInt8Arguments>("vector", true,
        BinaryInt8.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Size(ref Operation, nameof(Operation));
        visitor.Type(ref AType, nameof(AType));
        visitor.Type(ref BType, nameof(BType));
        visitor.Type(ref YType, nameof(YType));
        visitor.Input(ref A, nameof(A), AType);
        visitor.Input(ref B, nameof(B), BType);
        visitor.Output(ref Y, nameof(Y), YType);
        Extents.Visit(ref visitor, nameof(Extents));
        AStrides.Visit(ref visitor, nameof(AStrides));
        BStrides.Visit(ref visitor, nameof(BStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
        visitor.Size(ref AZero, nameof(AZero));
        visitor.Size(ref BZero, nameof(BZero));
        visitor.Size(ref YZero, nameof(YZero));
        visitor.Size(ref YMinimum, nameof(YMinimum));
        visitor.Size(ref YMaximum, nameof(YMaximum));
        visitor.Number(ref AScale, nameof(AScale));
        visitor.Number(ref BScale, nameof(BScale));
        visitor.Number(ref YScale, nameof(YScale));
    }

    public readonly void Check(KernelCheck check)
    {
        check.InRange(Operation, 0, (long)BinaryOperation.Last);
        if (!BinaryInt8.Takes((BinaryOperation)(long)Operation)) throw check.Damaged("there is no such operation of quantized values");
        check.Present(A, B, Y);
        ImageChecks.Holds(check, AType, AZero);
        ImageChecks.Holds(check, BType, BZero);
        ImageChecks.Holds(check, YType, YZero);
        ImageChecks.Holds(check, YType, YMinimum);
        ImageChecks.Holds(check, YType, YMaximum);
        NestCursor.Check(check, A, Extents, AStrides);
        NestCursor.Check(check, B, Extents, BStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

/// <summary>The code of <see cref="BinaryInt8Arguments"/>: 16 elements at a time where operands run alike, or one stands still.</summary>
internal static unsafe class BinaryInt8
{
    private interface IOperation
    {
        static abstract Vector256<float> Apply(Vector256<float> a, Vector256<float> b);

        static abstract Vector512<float> Apply(Vector512<float> a, Vector512<float> b);

        static abstract float Apply(float a, float b);
    }

    private readonly struct Add : IOperation
    {
        public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b) => a + b;

        public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => a + b;

        public static float Apply(float a, float b) => a + b;
    }

    private readonly struct Subtract : IOperation
    {
        public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b) => a - b;

        public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => a - b;

        public static float Apply(float a, float b) => a - b;
    }

    private readonly struct Multiply : IOperation
    {
        public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b) => a * b;

        public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => a * b;

        public static float Apply(float a, float b) => a * b;
    }

    /// <summary>Whether there is code for an operation.</summary>
    public static bool Takes(BinaryOperation operation) => operation is BinaryOperation.Add or BinaryOperation.Subtract or BinaryOperation.Multiply;

    public static delegate*<BinaryInt8Arguments*, long, long, byte*, void> Select(in BinaryInt8Arguments a) => (BinaryOperation)(long)a.Operation switch
    {
        BinaryOperation.Add => &Run<Add>,
        BinaryOperation.Subtract => &Run<Subtract>,
        _ => &Run<Multiply>,
    };

    /// <summary>How bytes become floats: an int8 value with its sign bit turned is the value plus 128 as a uint8.</summary>
    private readonly struct Mapping(ModelElementType type, long zero, float scale)
    {
        private readonly byte _turn = type == ModelElementType.Int8 ? (byte)0x80 : (byte)0;
        private readonly int _zero = (int)zero + (type == ModelElementType.Int8 ? 128 : 0);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float One(byte x) => ((x ^ _turn) - _zero) * scale;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<float> Sixteen(Vector128<byte> x)
        {
            Vector512<int> wide = Avx512F.ConvertToVector512Int32(x ^ Vector128.Create(_turn));
            return Vector512.ConvertToSingle(wide - Vector512.Create(_zero)) * Vector512.Create(scale);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public (Vector256<float> First, Vector256<float> Second) Eights(Vector128<byte> x)
        {
            (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(x ^ Vector128.Create(_turn));
            return (Of(low), Of(high));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Vector256<float> Of(Vector128<ushort> words)
        {
            Vector256<int> wide = Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32();
            return Vector256.ConvertToSingle(wide - Vector256.Create(_zero)) * Vector256.Create(scale);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TOperation>(BinaryInt8Arguments* arguments, long first, long last, byte* scratch) where TOperation : struct, IOperation
    {
        Mapping ofA = new(arguments->AType, arguments->AZero, arguments->AScale), ofB = new(arguments->BType, arguments->BZero, arguments->BScale);
        int zero = (int)arguments->YZero, lowest = (int)arguments->YMinimum - zero, highest = (int)arguments->YMaximum - zero;
        var scale = arguments->YScale;
        Vector256<float> low = Vector256.Create((float)lowest), high = Vector256.Create((float)highest), divisor = Vector256.Create(scale);
        Vector256<int> offset = Vector256.Create(zero);
        NestCursor cursor = new(arguments->Extents, first);
        long aStep = arguments->AStrides.L5, bStep = arguments->BStrides.L5, yStep = arguments->YStrides.L5;
        var vectors = yStep == 1 && aStep is (0 or 1) && bStep is (0 or 1);
        for (var tile = first; tile < last; tile++, cursor.Next())
        {
            byte* a = (byte*)arguments->A + cursor.Offset(arguments->AStrides), b = (byte*)arguments->B + cursor.Offset(arguments->BStrides);
            var y = (byte*)arguments->Y + cursor.Offset(arguments->YStrides);
            long length = cursor.Length, i = 0;
            if (vectors)
                for (; i <= length - 16; i += 16)
                {
                    Vector128<byte> p = aStep == 1 ? Vector128.Load(a + i) : Vector128.Create(*a), q = bStep == 1 ? Vector128.Load(b + i)
                        : Vector128.Create(*b);
                    if (Vector512.IsHardwareAccelerated)
                    {
                        Vector512<float> v = TOperation.Apply(ofA.Sixteen(p), ofB.Sixteen(q)) / Vector512.Create(scale);
                        v = Vector512.MinNative(Vector512.MaxNative(v, Vector512.Create((float)lowest)), Vector512.Create((float)highest));
                        Avx512F.ConvertToVector128Byte(
                            Avx512F.ConvertToVector512Int32(v) + Vector512.Create(zero)).Store(y + i);
                        continue;
                    }
                    (Vector256<float> p0, Vector256<float> p1) = ofA.Eights(p);
                    (Vector256<float> q0, Vector256<float> q1) = ofB.Eights(q);
                    Vector256<int> r0 = Rounding.ToInt32(TOperation.Apply(p0, q0) / divisor, low, high) + offset;
                    Vector256<int> r1 = Rounding.ToInt32(TOperation.Apply(p1, q1) / divisor, low, high) + offset;
                    Rounding.LowBytes(r0, r1).Store(y + i);
                }
            for (; i < length; i++)
                y[i * yStep] = (byte)(Rounding.ToInt32(TOperation.Apply(ofA.One(a[i * aStep]), ofB.One(b[i * bStep])) / scale, lowest, highest) + zero);
        }
    }
}
