using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>ONNX Where: y = condition ? a : b.</summary>
internal unsafe struct SelectArguments : IKernelArguments<SelectArguments>
{
    public ModelElementType Type;
    public Operand Condition, A, B, Y;
    public Loops Extents, ConditionStrides, AStrides, BStrides, YStrides;

    public static Kernel<SelectArguments> Kernel { get; } = new(KernelIds.Select, "Select", new Variant<SelectArguments>("scalar", true, Select.Choose));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Input(ref Condition, nameof(Condition), ModelElementType.Bool);
        visitor.Input(ref A, nameof(A), Type);
        visitor.Input(ref B, nameof(B), Type);
        visitor.Output(ref Y, nameof(Y), Type);
        Extents.Visit(ref visitor, nameof(Extents));
        ConditionStrides.Visit(ref visitor, nameof(ConditionStrides));
        AStrides.Visit(ref visitor, nameof(AStrides));
        BStrides.Visit(ref visitor, nameof(BStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(Condition, A, B, Y);
        NestCursor.Check(check, Condition, Extents, ConditionStrides);
        NestCursor.Check(check, A, Extents, AStrides);
        NestCursor.Check(check, B, Extents, BStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

internal static unsafe class Select
{
    public static delegate*<SelectArguments*, long, long, byte*, void> Choose(in SelectArguments a) => ModelElementTypes.SizeOf(a.Type) switch
    {
        1 => &Run<byte>,
        2 => &Run<ushort>,
        4 => &Run<uint>,
        _ => &Run<ulong>,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(SelectArguments* arguments, long first, long last, byte* scratch) where T : unmanaged
    {
        NestCursor cursor = new(arguments->Extents, first);
        long cStep = arguments->ConditionStrides.L5, aStep = arguments->AStrides.L5, bStep = arguments->BStrides.L5, yStep = arguments->YStrides.L5;
        for (; first < last; first++, cursor.Next())
        {
            var c = (byte*)arguments->Condition + cursor.Offset(arguments->ConditionStrides);
            T* a = (T*)(void*)arguments->A + cursor.Offset(arguments->AStrides), b = (T*)(void*)arguments->B + cursor.Offset(arguments->BStrides);
            var y = (T*)(void*)arguments->Y + cursor.Offset(arguments->YStrides);
            for (var i = cursor.Length; i > 0; i--, c += cStep, a += aStep, b += bStep, y += yStep) *y = *c != 0 ? *a : *b;
        }
    }
}
