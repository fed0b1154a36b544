using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>NumPy's names of element types.</summary>
internal static class NumPyTypes
{
    private static readonly (ElementType Type, string Code, string Name)[] Table =
    [
        (ElementType.Float, "f4", "float32"),
        (ElementType.Double, "f8", "float64"),
        (ElementType.Float16, "f2", "float16"),
        (ElementType.Int8, "i1", "int8"),
        (ElementType.UInt8, "u1", "uint8"),
        (ElementType.Int16, "i2", "int16"),
        (ElementType.UInt16, "u2", "uint16"),
        (ElementType.Int32, "i4", "int32"),
        (ElementType.UInt32, "u4", "uint32"),
        (ElementType.Int64, "i8", "int64"),
        (ElementType.UInt64, "u8", "uint64"),
        (ElementType.Bool, "b1", "bool"),
    ];

    /// <summary>The type of a descriptor in a file's header, such as <c>&lt;f4</c>; null where there is none.</summary>
    public static ElementType? OfDescriptor(string descriptor)
    {
        var code = descriptor.TrimStart('<', '|', '>', '=');
        return Table.FirstOrDefault(t => t.Code == (code == "?" ? "b1" : code)) is { Code: not null } found ? found.Type : null;
    }

    /// <summary>The descriptor of a type in a file's header, little endian; null where NumPy has no such type.</summary>
    public static string? DescriptorOf(ElementType type) => CodeOf(type) is { } code ? (code.EndsWith('1') ? "|" : "<") + code : null;

    /// <summary>How a type is called in Python: <c>np.float32</c> is <c>float32</c>; null where NumPy has no such type.</summary>
    public static string? NameOf(ElementType type) => Table.FirstOrDefault(t => t.Type == type).Name;

    private static string? CodeOf(ElementType type) => Table.FirstOrDefault(t => t.Type == type).Code;
}
