using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Element by element, of other types than floats: comparisons, choices, conversions.</summary>
internal static class MapLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        Comparing("Equal", Comparison.Equal), Comparing("Less", Comparison.Less), Comparing("LessOrEqual", Comparison.LessOrEqual),
        Comparing("Greater", Comparison.Less, exchanged: true), Comparing("GreaterOrEqual", Comparison.LessOrEqual, exchanged: true),
        new("Not", new(static (l, n) => Compare(l, n, Comparison.Equal, l.Read(n, 0, ModelElementType.Bool), l.Constant(Tensor.Scalar(false))))),
        new("IsNaN", new(static (l, n) => Compare(l, n, Comparison.IsNaN, l.Read(n, 0), l.Constant(Tensor.Scalar(0f))))),
        new("IsInf", new(IsInf)),
        new("Where", new(Where)),
        new("Cast", new(static (l, n) => Convert(l, n))),
        new("CastLike", new(static (l, n) => Convert(l, n), 1)),
        new("BitwiseNot", new(BitwiseNot)),
    ];

    private static KeyValuePair<string, OperatorLowering> Comparing(string name, Comparison comparison, bool exchanged = false) => new(name, new((l, n) =>
    {
        var (a, b) = (l.Read(n.Inputs[0]!), l.Read(n.Inputs[1]!));
        Compare(l, n, comparison, exchanged ? b : a, exchanged ? a : b);
    }));

    private static void Compare(Lowering lowering, Node node, Comparison comparison, TensorView a, TensorView b)
    {
        if (a.Type != b.Type || !Kernels.Compare.Takes(comparison, a.Type))
            throw Lowering.Unsupported(node, a.Type);
        Compare(lowering, node, comparison, a, b, lowering.WriteLike(node.Output, a, b));
    }

    /// <summary>y = a compared with b.</summary>
    public static void Compare(Lowering lowering, Node node, Comparison comparison, TensorView a, TensorView b, TensorView y)
    {
        var nest = Nest.Of(lowering, y, longestInner: false, a, b);
        lowering.Call(new CompareArguments
        {
            Comparison = lowering.Size((long)comparison), Type = a.Type, A = lowering.Operand(a), B = lowering.Operand(b), Y = lowering.Operand(y),
            Extents = nest.Extents, AStrides = nest.Strides[1], BStrides = nest.Strides[2], YStrides = nest.Strides[0],
        }, node.DisplayName);
    }

    private static void IsInf(Lowering lowering, Node node)
    {
        var (positive, negative) = (node.Int("detect_positive", 1) == 1, node.Int("detect_negative", 1) == 1);
        if (!positive && !negative)
            throw Lowering.Unsupported(node);
        Compare(lowering, node, Comparison.IsInfinite, lowering.Read(node, 0), lowering.Constant(Tensor.Scalar(positive && negative ? 1f : positive ? 2 : 3)));
    }

    private static void Where(Lowering lowering, Node node)
    {
        var (condition, a, b) = (lowering.Read(node, 0, ModelElementType.Bool), lowering.Read(node.Inputs[1]!), lowering.Read(node.Inputs[2]!));
        Choose(lowering, node, condition, a, b, lowering.WriteLike(node.Output, a, b, condition));
    }

    /// <summary>y = condition ? a : b; y may be a or b.</summary>
    public static void Choose(Lowering lowering, Node node, TensorView condition, TensorView a, TensorView b, TensorView y)
    {
        var nest = Nest.Of(lowering, y, longestInner: false, condition, a, b);
        lowering.Call(new SelectArguments
        {
            Type = y.Type, Condition = lowering.Operand(condition), A = lowering.Operand(a), B = lowering.Operand(b), Y = lowering.Operand(y),
            Extents = nest.Extents, ConditionStrides = nest.Strides[1], AStrides = nest.Strides[2], BStrides = nest.Strides[3], YStrides = nest.Strides[0],
        }, node.DisplayName);
    }

    private static void Convert(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var type = lowering.TypeOf(node.Output);
        if (type == x.Type)
            lowering.Place(node.Output, x);
        else
            Convert(lowering, node.DisplayName, x, lowering.WriteLike(node.Output, x));
    }

    /// <summary>A view in another type, in a buffer of its own.</summary>
    public static TensorView Converted(Lowering lowering, Node node, TensorView x, ModelElementType type) =>
        x.Type == type ? x : Convert(lowering, node.DisplayName, x, lowering.Allocate(x.Extents, type, x.Order));

    /// <summary>y = x in the type of y.</summary>
    public static TensorView Convert(Lowering lowering, string node, TensorView x, TensorView y)
    {
        if (!Conversion.Takes(x.Type) || !Conversion.Takes(y.Type))
            throw new NotLoweredException($"there is no managed kernel from {x.Type} to {y.Type}");
        var nest = Nest.Of(lowering, y, longestInner: false, x);
        lowering.Call(new ConvertArguments
        {
            XType = x.Type, YType = y.Type, X = lowering.Operand(x), Y = lowering.Operand(y), Extents = nest.Extents, XStrides = nest.Strides[1],
            YStrides = nest.Strides[0],
        }, node);
        return y;
    }

    private static void BitwiseNot(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var ones = x.Type switch
        {
            ModelElementType.Int32 => Tensor.Scalar(-1),
            ModelElementType.Int64 => Tensor.Scalar(-1L),
            ModelElementType.UInt8 => Tensor.Scalar((byte)255),
            ModelElementType.Int8 => Tensor.Scalar((sbyte)-1),
            _ => throw Lowering.Unsupported(node, x.Type),
        };
        BinaryLowering.Apply(lowering, node, BinaryOperation.Xor, x, lowering.Constant(ones), lowering.WriteLike(node.Output, x));
    }
}
