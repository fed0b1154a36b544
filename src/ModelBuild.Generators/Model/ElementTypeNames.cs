namespace ModelBuild.Generators;

/// <summary>Element types of signature.json as C# and as the runtime's enumeration name them.</summary>
internal static class ElementTypeNames
{
    /// <summary>The C# type of an element.</summary>
    public static string CSharp(string type) => type switch
    {
        "uint8" => "byte",
        "int8" => "sbyte",
        "uint16" => "ushort",
        "int16" => "short",
        "int32" => "int",
        "int64" => "long",
        "float16" => "global::System.Half",
        "uint32" => "uint",
        "uint64" => "ulong",
        // float, double, bool and string are called the same.
        _ => type,
    };

    /// <summary>The member of <c>ModelElementType</c>.</summary>
    public static string Runtime(string type) => type switch
    {
        "uint8" => "UInt8",
        "uint16" => "UInt16",
        "uint32" => "UInt32",
        "uint64" => "UInt64",
        _ => char.ToUpperInvariant(type[0]) + type.Substring(1),
    };
}
