namespace ModelBuild.Kernels;

/// <summary>A number as a type: code that is generic over it is compiled for each number, and what its number does not need falls away.</summary>
internal interface ICount
{
    static abstract int Count { get; }
}

/// <summary>A choice as a type.</summary>
internal interface IFlag
{
    static abstract bool Value { get; }
}

internal readonly struct Yes : IFlag
{
    public static bool Value => true;
}

internal readonly struct No : IFlag
{
    public static bool Value => false;
}

internal readonly struct Rows1 : ICount
{
    public static int Count => 1;
}

internal readonly struct Rows2 : ICount
{
    public static int Count => 2;
}

internal readonly struct Rows3 : ICount
{
    public static int Count => 3;
}

internal readonly struct Rows4 : ICount
{
    public static int Count => 4;
}

internal readonly struct Rows5 : ICount
{
    public static int Count => 5;
}

internal readonly struct Rows6 : ICount
{
    public static int Count => 6;
}

internal readonly struct Rows7 : ICount
{
    public static int Count => 7;
}

internal readonly struct Rows8 : ICount
{
    public static int Count => 8;
}

internal readonly struct Rows9 : ICount
{
    public static int Count => 9;
}

internal readonly struct Rows10 : ICount
{
    public static int Count => 10;
}

internal readonly struct Rows11 : ICount
{
    public static int Count => 11;
}

internal readonly struct Rows12 : ICount
{
    public static int Count => 12;
}

internal readonly struct Rows13 : ICount
{
    public static int Count => 13;
}

internal readonly struct Rows14 : ICount
{
    public static int Count => 14;
}
