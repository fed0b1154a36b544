using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>What <see cref="KernelIds.Compare"/> tells, as the ONNX operators of these names do. The numbers are part of the artifact format.</summary>
internal enum Comparison
{
    /// <summary>a = b.</summary>
    Equal = 0,
    /// <summary>a &lt; b.</summary>
    Less = 1,
    /// <summary>a &lt;= b.</summary>
    LessOrEqual = 2,
    /// <summary>a is infinite; b is 1 for both signs, 2 for the positive one, 3 for the negative one.</summary>
    IsInfinite = 3,
    /// <summary>a is not a number; b counts for nothing.</summary>
    IsNaN = 4,
}

/// <summary>y = a compared with b, as bool. Greater is Less with the operands exchanged.</summary>
internal unsafe struct CompareArguments : IKernelArguments<CompareArguments>
{
    /// <summary>A <see cref="Kernels.Comparison"/>.</summary>
    public Size Comparison;
    /// <summary>The element type of a and b.</summary>
    public ModelElementType Type;
    public Operand A, B, Y;
    public Loops Extents, AStrides, BStrides, YStrides;

    public static Kernel<CompareArguments> Kernel { get; } = new(KernelIds.Compare, "Compare", new Variant<CompareArguments>("scalar", true, Compare.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Size(ref Comparison, nameof(Comparison));
        visitor.Type(ref Type, nameof(Type));
        visitor.Input(ref A, nameof(A), Type);
        visitor.Input(ref B, nameof(B), Type);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Bool);
        Extents.Visit(ref visitor, nameof(Extents));
        AStrides.Visit(ref visitor, nameof(AStrides));
        BStrides.Visit(ref visitor, nameof(BStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
    }

    public readonly void Check(KernelCheck check)
    {
        check.InRange(Comparison, 0, (int)Kernels.Comparison.IsNaN);
        if (!Compare.Takes((Comparison)(long)Comparison, Type)) throw check.Damaged($"there is no such comparison of {Type}");
        check.Present(A, B, Y);
        NestCursor.Check(check, A, Extents, AStrides);
        NestCursor.Check(check, B, Extents, BStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

internal static unsafe class Compare
{
    /// <summary>Whether a comparison has code for an element type.</summary>
    public static bool Takes(Comparison comparison, ModelElementType type) => type switch
    {
        ModelElementType.Float => true,
        ModelElementType.Int32 or ModelElementType.Int64 or ModelElementType.UInt8 or ModelElementType.Int8 => comparison <= Comparison.LessOrEqual,
        ModelElementType.Bool => comparison == Comparison.Equal,
        _ => false,
    };

    public static delegate*<CompareArguments*, long, long, byte*, void> Select(in CompareArguments a) => a.Type switch
    {
        ModelElementType.Float => (Comparison)(long)a.Comparison switch
        {
            Comparison.IsInfinite => &Run<float, InfiniteComparison>,
            Comparison.IsNaN => &Run<float, NaNComparison>,
            _ => Select<float>((Comparison)(long)a.Comparison),
        },
        ModelElementType.Int32 => Select<int>((Comparison)(long)a.Comparison),
        ModelElementType.Int64 => Select<long>((Comparison)(long)a.Comparison),
        ModelElementType.Int8 => Select<sbyte>((Comparison)(long)a.Comparison),
        _ => Select<byte>((Comparison)(long)a.Comparison),
    };

    private static delegate*<CompareArguments*, long, long, byte*, void> Select<T>(Comparison comparison) where T : unmanaged, INumber<T> => comparison switch
    {
        Comparison.Equal => &Run<T, EqualComparison<T>>,
        Comparison.Less => &Run<T, LessComparison<T>>,
        _ => &Run<T, LessOrEqualComparison<T>>,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T, TComparison>(CompareArguments* arguments, long first, long last, byte* scratch)
        where T : unmanaged where TComparison : struct, IComparison<T>
    {
        NestCursor cursor = new(arguments->Extents, first);
        long aStep = arguments->AStrides.L5, bStep = arguments->BStrides.L5, yStep = arguments->YStrides.L5;
        for (; first < last; first++, cursor.Next())
        {
            T* a = (T*)(void*)arguments->A + cursor.Offset(arguments->AStrides), b = (T*)(void*)arguments->B + cursor.Offset(arguments->BStrides);
            var y = (byte*)arguments->Y + cursor.Offset(arguments->YStrides);
            for (var i = cursor.Length; i > 0; i--, a += aStep, b += bStep, y += yStep) *y = TComparison.Holds(*a, *b) ? (byte)1 : (byte)0;
        }
    }
}

/// <summary>A comparison of two numbers.</summary>
internal interface IComparison<T>
{
    static abstract bool Holds(T a, T b);
}

internal readonly struct EqualComparison<T> : IComparison<T> where T : INumber<T>
{
    public static bool Holds(T a, T b) => a == b;
}

internal readonly struct LessComparison<T> : IComparison<T> where T : INumber<T>
{
    public static bool Holds(T a, T b) => a < b;
}

internal readonly struct LessOrEqualComparison<T> : IComparison<T> where T : INumber<T>
{
    public static bool Holds(T a, T b) => a <= b;
}

internal readonly struct InfiniteComparison : IComparison<float>
{
    public static bool Holds(float a, float b) => b switch { 2 => float.IsPositiveInfinity(a), 3 => float.IsNegativeInfinity(a), _ => float.IsInfinity(a) };
}

internal readonly struct NaNComparison : IComparison<float>
{
    public static bool Holds(float a, float b) => float.IsNaN(a);
}
