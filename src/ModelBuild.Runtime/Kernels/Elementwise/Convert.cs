using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>ONNX Cast between numbers and bool. Floats become integers towards zero, within the range of the type; numbers that are not zero become
/// true.</summary>
internal unsafe struct ConvertArguments : IKernelArguments<ConvertArguments>
{
    public ModelElementType XType, YType;
    public Operand X, Y;
    public Loops Extents, XStrides, YStrides;

    public static Kernel<ConvertArguments> Kernel { get; } = new(KernelIds.Convert, "Convert", new Variant<ConvertArguments>("scalar", true,
        Conversion.Select));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref XType, nameof(XType));
        visitor.Type(ref YType, nameof(YType));
        visitor.Input(ref X, nameof(X), XType);
        visitor.Output(ref Y, nameof(Y), YType);
        Extents.Visit(ref visitor, nameof(Extents));
        XStrides.Visit(ref visitor, nameof(XStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
    }

    public readonly void Check(KernelCheck check)
    {
        if (!Conversion.Takes(XType) || !Conversion.Takes(YType)) throw check.Damaged($"there is no conversion of {XType} to {YType}");
        check.Present(X, Y);
        NestCursor.Check(check, X, Extents, XStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

internal static unsafe class Conversion
{
    /// <summary>Whether an element type is converted.</summary>
    public static bool Takes(ModelElementType type) => type is ModelElementType.Float or ModelElementType.Double or ModelElementType.Float16
        or ModelElementType.Int32 or ModelElementType.Int64 or ModelElementType.Int8 or ModelElementType.UInt8 or ModelElementType.Bool;

    public static delegate*<ConvertArguments*, long, long, byte*, void> Select(in ConvertArguments a) => a.XType switch
    {
        ModelElementType.Float => From<float>(a.YType),
        ModelElementType.Double => From<double>(a.YType),
        ModelElementType.Float16 => From<Half>(a.YType),
        ModelElementType.Int32 => From<int>(a.YType),
        ModelElementType.Int64 => From<long>(a.YType),
        ModelElementType.Int8 => From<sbyte>(a.YType),
        // Bool is 0 or 1.
        _ => From<byte>(a.YType),
    };

    private static delegate*<ConvertArguments*, long, long, byte*, void> From<T>(ModelElementType to) where T : unmanaged, INumber<T> => to switch
    {
        ModelElementType.Float => &Run<T, float>,
        ModelElementType.Double => &Run<T, double>,
        ModelElementType.Float16 => &Run<T, Half>,
        ModelElementType.Int32 => &Run<T, int>,
        ModelElementType.Int64 => &Run<T, long>,
        ModelElementType.Int8 => &Run<T, sbyte>,
        ModelElementType.UInt8 => &Run<T, byte>,
        _ => &RunToBool<T>,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFrom, TTo>(ConvertArguments* a, long first, long last, byte* scratch)
        where TFrom : unmanaged, INumber<TFrom> where TTo : unmanaged, INumber<TTo>
    {
        NestCursor cursor = new(a->Extents, first);
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        // Integers wrap around, as in C; floats stay within the range of the integer.
        var wraps = typeof(TFrom) != typeof(float) && typeof(TFrom) != typeof(double) && typeof(TFrom) != typeof(Half);
        for (; first < last; first++, cursor.Next())
        {
            var x = (TFrom*)(void*)a->X + cursor.Offset(a->XStrides);
            var y = (TTo*)(void*)a->Y + cursor.Offset(a->YStrides);
            if (wraps)
                for (var i = cursor.Length; i > 0; i--, x += xStep, y += yStep) *y = TTo.CreateTruncating(*x);
            else
                for (var i = cursor.Length; i > 0; i--, x += xStep, y += yStep) *y = TTo.CreateSaturating(*x);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunToBool<T>(ConvertArguments* a, long first, long last, byte* scratch) where T : unmanaged, INumber<T>
    {
        NestCursor cursor = new(a->Extents, first);
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        for (; first < last; first++, cursor.Next())
        {
            var x = (T*)(void*)a->X + cursor.Offset(a->XStrides);
            var y = (byte*)a->Y + cursor.Offset(a->YStrides);
            for (var i = cursor.Length; i > 0; i--, x += xStep, y += yStep) *y = *x != T.Zero ? (byte)1 : (byte)0;
        }
    }
}
