namespace ModelBuild.Onnx;

/// <summary>Element types of tensors, numbered as <c>TensorProto.DataType</c> numbers them.</summary>
public enum ElementType
{
    /// <summary>Not stated.</summary>
    Undefined = 0,
    /// <summary>IEEE 754 binary32.</summary>
    Float = 1,
    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8 = 2,
    /// <summary>Signed 8-bit integer.</summary>
    Int8 = 3,
    /// <summary>Unsigned 16-bit integer.</summary>
    UInt16 = 4,
    /// <summary>Signed 16-bit integer.</summary>
    Int16 = 5,
    /// <summary>Signed 32-bit integer.</summary>
    Int32 = 6,
    /// <summary>Signed 64-bit integer.</summary>
    Int64 = 7,
    /// <summary>UTF-8 strings.</summary>
    String = 8,
    /// <summary>One byte per element, 0 or 1.</summary>
    Bool = 9,
    /// <summary>IEEE 754 binary16.</summary>
    Float16 = 10,
    /// <summary>IEEE 754 binary64.</summary>
    Double = 11,
    /// <summary>Unsigned 32-bit integer.</summary>
    UInt32 = 12,
    /// <summary>Unsigned 64-bit integer.</summary>
    UInt64 = 13,
    /// <summary>Two binary32.</summary>
    Complex64 = 14,
    /// <summary>Two binary64.</summary>
    Complex128 = 15,
    /// <summary>The upper 16 bits of binary32.</summary>
    BFloat16 = 16,
    /// <summary>8-bit float, 4 exponent bits, no infinities.</summary>
    Float8E4M3FN = 17,
    /// <summary>As <see cref="Float8E4M3FN"/>, no negative zero.</summary>
    Float8E4M3FNUZ = 18,
    /// <summary>8-bit float, 5 exponent bits.</summary>
    Float8E5M2 = 19,
    /// <summary>As <see cref="Float8E5M2"/>, no infinities and no negative zero.</summary>
    Float8E5M2FNUZ = 20,
    /// <summary>Unsigned 4-bit integer, two a byte, the first in the low half.</summary>
    UInt4 = 21,
    /// <summary>Signed 4-bit integer, two a byte, the first in the low half.</summary>
    Int4 = 22,
    /// <summary>4-bit float, 2 exponent bits, two a byte.</summary>
    Float4E2M1 = 23,
    /// <summary>8-bit power of two.</summary>
    Float8E8M0 = 24,
    /// <summary>Unsigned 2-bit integer, four a byte.</summary>
    UInt2 = 25,
    /// <summary>Signed 2-bit integer, four a byte.</summary>
    Int2 = 26,
}

/// <summary>Sizes and names of element types.</summary>
public static class ElementTypes
{
    /// <summary>Bits that one element takes in raw storage; 0 for strings and undefined.</summary>
    public static int BitsOf(ElementType type) => type switch
    {
        ElementType.UInt2 or ElementType.Int2 => 2,
        ElementType.UInt4 or ElementType.Int4 or ElementType.Float4E2M1 => 4,
        ElementType.UInt8 or ElementType.Int8 or ElementType.Bool or ElementType.Float8E4M3FN or ElementType.Float8E4M3FNUZ
            or ElementType.Float8E5M2 or ElementType.Float8E5M2FNUZ or ElementType.Float8E8M0 => 8,
        ElementType.UInt16 or ElementType.Int16 or ElementType.Float16 or ElementType.BFloat16 => 16,
        ElementType.Float or ElementType.Int32 or ElementType.UInt32 => 32,
        ElementType.Double or ElementType.Int64 or ElementType.UInt64 or ElementType.Complex64 => 64,
        ElementType.Complex128 => 128,
        _ => 0,
    };

    /// <summary>Bytes of raw storage for <paramref name="count"/> elements, the last byte padded for types below 8 bits.</summary>
    /// <exception cref="OverflowException">The size does not fit 64 bits.</exception>
    public static long ByteSize(ElementType type, long count) => checked((count * BitsOf(type) + 7) / 8);

    /// <summary>Whether the type is a floating-point type of any width.</summary>
    public static bool IsFloat(ElementType type) => type is ElementType.Float or ElementType.Double or ElementType.Float16 or ElementType.BFloat16
        or ElementType.Float8E4M3FN or ElementType.Float8E4M3FNUZ or ElementType.Float8E5M2 or ElementType.Float8E5M2FNUZ
        or ElementType.Float4E2M1 or ElementType.Float8E8M0;

    /// <summary>Whether the type is an integer type of any width (not bool).</summary>
    public static bool IsInteger(ElementType type) => type is ElementType.UInt8 or ElementType.Int8 or ElementType.UInt16 or ElementType.Int16
        or ElementType.Int32 or ElementType.Int64 or ElementType.UInt32 or ElementType.UInt64
        or ElementType.UInt4 or ElementType.Int4 or ElementType.UInt2 or ElementType.Int2;
}
