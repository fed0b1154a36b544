using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>y = clamp(a op b); floats, 32- and 64-bit integers, and bool (And, Or, Xor).</summary>
internal unsafe struct BinaryArguments : IKernelArguments<BinaryArguments>
{
    /// <summary>A <see cref="BinaryOperation"/>.</summary>
    public Size Operation;
    /// <summary>The element type of all operands.</summary>
    public ModelElementType Type;
    public Operand A, B, Y;
    public Loops Extents, AStrides, BStrides, YStrides;
    /// <summary>The activation that follows, for floats; infinities for none.</summary>
    public float Minimum, Maximum;

    public static Kernel<BinaryArguments> Kernel { get; } = new(KernelIds.Binary, "Binary", new Variant<BinaryArguments>("vector", true, Binary.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Size(ref Operation, nameof(Operation));
        visitor.Type(ref Type, nameof(Type));
        visitor.Input(ref A, nameof(A), Type);
        visitor.Input(ref B, nameof(B), Type);
        visitor.Output(ref Y, nameof(Y), Type);
        Extents.Visit(ref visitor, nameof(Extents));
        AStrides.Visit(ref visitor, nameof(AStrides));
        BStrides.Visit(ref visitor, nameof(BStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
        visitor.Number(ref Minimum, nameof(Minimum));
        visitor.Number(ref Maximum, nameof(Maximum));
    }

    public readonly void Check(KernelCheck check)
    {
        check.InRange(Operation, 0, (int)BinaryOperation.Last);
        if (!Binary.Takes((BinaryOperation)(long)Operation, Type)) throw check.Damaged($"there is no such operation of {Type}");
        check.Present(A, B, Y);
        NestCursor.Check(check, A, Extents, AStrides);
        NestCursor.Check(check, B, Extents, BStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

/// <summary>Arithmetic of two tensors. Where operands run alike, or one stands still, by vectors; otherwise one by one.</summary>
internal static unsafe class Binary
{
    /// <summary>Whether an operation has code for an element type.</summary>
    public static bool Takes(BinaryOperation operation, ModelElementType type) => type switch
    {
        ModelElementType.Float => operation < BinaryOperation.And,
        ModelElementType.Int32 or ModelElementType.Int64 => operation != BinaryOperation.Power,
        ModelElementType.UInt8 or ModelElementType.Int8 => operation is not (BinaryOperation.Power or BinaryOperation.PRelu),
        ModelElementType.Bool => operation >= BinaryOperation.And,
        _ => false,
    };

    public static delegate*<BinaryArguments*, long, long, byte*, void> Select(in BinaryArguments a) => a.Type switch
    {
        ModelElementType.Float => Floats((BinaryOperation)(long)a.Operation),
        ModelElementType.Int32 => Integers<int>((BinaryOperation)(long)a.Operation),
        ModelElementType.Int64 => Integers<long>((BinaryOperation)(long)a.Operation),
        ModelElementType.Int8 => Integers<sbyte>((BinaryOperation)(long)a.Operation),
        // The bits of bool are those of 0 and 1.
        _ => Integers<byte>((BinaryOperation)(long)a.Operation),
    };

    private static delegate*<BinaryArguments*, long, long, byte*, void> Floats(BinaryOperation operation) => operation switch
    {
        BinaryOperation.Add => &Run<AddOperation>,
        BinaryOperation.Subtract => &Run<SubtractOperation>,
        BinaryOperation.Multiply => &Run<MultiplyOperation>,
        BinaryOperation.Divide => &Run<DivideOperation>,
        BinaryOperation.Minimum => &Run<MinimumOperation>,
        BinaryOperation.Maximum => &Run<MaximumOperation>,
        BinaryOperation.PRelu => &Run<PReluOperation>,
        BinaryOperation.Power => &RunFloats<PowerFunction>,
        BinaryOperation.Modulo => &RunFloats<ModuloFunction>,
        _ => &RunFloats<RemainderFunction>,
    };

    private static delegate*<BinaryArguments*, long, long, byte*, void> Integers<T>(BinaryOperation operation)
        where T : unmanaged, IBinaryInteger<T> => operation switch
    {
        BinaryOperation.Add => &RunIntegers<T, AddFunction>,
        BinaryOperation.Subtract => &RunIntegers<T, SubtractFunction>,
        BinaryOperation.Multiply => &RunIntegers<T, MultiplyFunction>,
        BinaryOperation.Divide => &RunIntegers<T, DivideFunction>,
        BinaryOperation.Minimum => &RunIntegers<T, MinimumFunction>,
        BinaryOperation.Maximum => &RunIntegers<T, MaximumFunction>,
        BinaryOperation.Modulo => &RunIntegers<T, ModuloFunction>,
        BinaryOperation.PRelu => &RunIntegers<T, PReluFunction>,
        BinaryOperation.And => &RunIntegers<T, AndFunction>,
        BinaryOperation.Or => &RunIntegers<T, OrFunction>,
        BinaryOperation.Xor => &RunIntegers<T, XorFunction>,
        _ => &RunIntegers<T, RemainderFunction>,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(BinaryArguments* arguments, long first, long last, byte* scratch) where T : struct, IBinaryOperation
    {
        float minimum = arguments->Minimum, maximum = arguments->Maximum;
        Vector<float> low = new(minimum), high = new(maximum);
        var lanes = Vector<float>.Count;
        NestCursor cursor = new(arguments->Extents, first);
        long aStep = arguments->AStrides.L5, bStep = arguments->BStrides.L5, yStep = arguments->YStrides.L5;
        for (var tile = first; tile < last; tile++, cursor.Next())
        {
            float* a = (float*)arguments->A + cursor.Offset(arguments->AStrides), b = (float*)arguments->B + cursor.Offset(arguments->BStrides);
            var y = (float*)arguments->Y + cursor.Offset(arguments->YStrides);
            long length = cursor.Length, i = 0;
            if (yStep == 1 && aStep == 1 && bStep == 1)
                for (; i <= length - lanes; i += lanes) Vector.Min(Vector.Max(T.Apply(Vector.Load(a + i), Vector.Load(b + i)), low), high).Store(y + i);
            else if (yStep == 1 && aStep == 1 && bStep == 0)
            {
                Vector<float> all = new(*b);
                for (; i <= length - lanes; i += lanes) Vector.Min(Vector.Max(T.Apply(Vector.Load(a + i), all), low), high).Store(y + i);
            }
            else if (yStep == 1 && aStep == 0 && bStep == 1)
            {
                Vector<float> all = new(*a);
                for (; i <= length - lanes; i += lanes) Vector.Min(Vector.Max(T.Apply(all, Vector.Load(b + i)), low), high).Store(y + i);
            }
            for (; i < length; i++) y[i * yStep] = MathF.Min(MathF.Max(T.Apply(a[i * aStep], b[i * bStep]), minimum), maximum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunIntegers<T, TFunction>(BinaryArguments* arguments, long first, long last, byte* scratch)
        where T : unmanaged, IBinaryInteger<T> where TFunction : struct, IIntegerFunction
    {
        NestCursor cursor = new(arguments->Extents, first);
        long aStep = arguments->AStrides.L5, bStep = arguments->BStrides.L5, yStep = arguments->YStrides.L5;
        for (var tile = first; tile < last; tile++, cursor.Next())
        {
            T* a = (T*)(void*)arguments->A + cursor.Offset(arguments->AStrides), b = (T*)(void*)arguments->B + cursor.Offset(arguments->BStrides);
            var y = (T*)(void*)arguments->Y + cursor.Offset(arguments->YStrides);
            var length = cursor.Length;
            for (long i = 0; i < length; i++) y[i * yStep] = TFunction.Apply(a[i * aStep], b[i * bStep]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunFloats<TFunction>(BinaryArguments* arguments, long first, long last, byte* scratch) where TFunction : struct, IFloatFunction
    {
        float minimum = arguments->Minimum, maximum = arguments->Maximum;
        NestCursor cursor = new(arguments->Extents, first);
        long aStep = arguments->AStrides.L5, bStep = arguments->BStrides.L5, yStep = arguments->YStrides.L5;
        for (var tile = first; tile < last; tile++, cursor.Next())
        {
            float* a = (float*)arguments->A + cursor.Offset(arguments->AStrides), b = (float*)arguments->B + cursor.Offset(arguments->BStrides);
            var y = (float*)arguments->Y + cursor.Offset(arguments->YStrides);
            var length = cursor.Length;
            for (long i = 0; i < length; i++) y[i * yStep] = MathF.Min(MathF.Max(TFunction.Apply(a[i * aStep], b[i * bStep]), minimum), maximum);
        }
    }
}
