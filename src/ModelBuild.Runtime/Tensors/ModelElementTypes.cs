using System.Runtime.CompilerServices;

namespace ModelBuild;

/// <summary>Sizes and .NET types of <see cref="ModelElementType"/>.</summary>
public static class ModelElementTypes
{
    /// <summary>Bytes of one element; 0 for strings.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is no element type.</exception>
    public static int SizeOf(ModelElementType type) => type switch
    {
        ModelElementType.UInt8 or ModelElementType.Int8 or ModelElementType.Bool => 1,
        ModelElementType.UInt16 or ModelElementType.Int16 or ModelElementType.Float16 => 2,
        ModelElementType.Float or ModelElementType.Int32 or ModelElementType.UInt32 => 4,
        ModelElementType.Int64 or ModelElementType.Double or ModelElementType.UInt64 => 8,
        ModelElementType.String => 0,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no element type"),
    };

    /// <summary>The element type that holds <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException">No element type holds it.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ModelElementType Of<T>()
    {
        if (typeof(T) == typeof(float)) return ModelElementType.Float;
        if (typeof(T) == typeof(byte)) return ModelElementType.UInt8;
        if (typeof(T) == typeof(sbyte)) return ModelElementType.Int8;
        if (typeof(T) == typeof(ushort)) return ModelElementType.UInt16;
        if (typeof(T) == typeof(short)) return ModelElementType.Int16;
        if (typeof(T) == typeof(int)) return ModelElementType.Int32;
        if (typeof(T) == typeof(long)) return ModelElementType.Int64;
        if (typeof(T) == typeof(string)) return ModelElementType.String;
        if (typeof(T) == typeof(bool)) return ModelElementType.Bool;
        if (typeof(T) == typeof(Half)) return ModelElementType.Float16;
        if (typeof(T) == typeof(double)) return ModelElementType.Double;
        if (typeof(T) == typeof(uint)) return ModelElementType.UInt32;
        if (typeof(T) == typeof(ulong)) return ModelElementType.UInt64;
        throw new NotSupportedException($"no element type holds {typeof(T)}");
    }
}
