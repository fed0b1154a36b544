using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Arithmetic of two or more tensors, with broadcasting.</summary>
internal static class BinaryLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        Of("Add", BinaryOperation.Add), Of("Sub", BinaryOperation.Subtract), Of("Div", BinaryOperation.Divide), Of("Pow", BinaryOperation.Power),
        Of("PRelu", BinaryOperation.PRelu), Of("And", BinaryOperation.And), Of("Or", BinaryOperation.Or), Of("Xor", BinaryOperation.Xor),
        Of("BitwiseAnd", BinaryOperation.And), Of("BitwiseOr", BinaryOperation.Or), Of("BitwiseXor", BinaryOperation.Xor),
        new("Mul", new(Multiply)),
        new("Mod", new(static (l, n) => Lower(l, n, n.Int("fmod") == 1 ? BinaryOperation.Remainder : BinaryOperation.Modulo))),
        Variadic("Min", BinaryOperation.Minimum), Variadic("Max", BinaryOperation.Maximum), Variadic("Sum", BinaryOperation.Add),
        Variadic("Mean", BinaryOperation.Add),
    ];

    private static KeyValuePair<string, OperatorLowering> Of(string name, BinaryOperation operation) => new(name, new((l, n) => Lower(l, n, operation)));

    private static KeyValuePair<string, OperatorLowering> Variadic(string name, BinaryOperation operation) =>
        new(name, new((l, n) => LowerAll(l, n, operation)));

    private static void Multiply(Lowering lowering, Node node)
    {
        // The scale of a dynamic product belongs to that.
        if (node.Inputs.All(i => i?.Producer is not { OpType: "DynamicQuantizeLinear" }))
            Lower(lowering, node, BinaryOperation.Multiply);
    }

    private static void Lower(Lowering lowering, Node node, BinaryOperation operation)
    {
        if (IntegerJoinLowering.TryBinary(lowering, node, operation))
            return;
        var (a, b) = (lowering.Read(node.Inputs[0]!), lowering.Read(node.Inputs[1]!));
        if (operation == BinaryOperation.Power && b.Type != a.Type)
            b = MapLowering.Converted(lowering, node, b, a.Type);
        if (operation == BinaryOperation.Power && lowering.ConstantOf(node.Inputs[1]) is { Length: 1 } exponent && exponent.Rank <= a.Rank
            && Numbers.Doubles(exponent)[0] == 2)
            (operation, b) = (BinaryOperation.Multiply, a);
        var floats = a.Type == ModelElementType.Float;
        var (output, low, high) = floats ? lowering.Activation(node.Output) : (node.Output, float.NegativeInfinity, float.PositiveInfinity);
        var y = lowering.WriteLike(output, a, b);
        Apply(lowering, node, operation, a, b, y, low, high);
    }

    private static void LowerAll(Lowering lowering, Node node, BinaryOperation operation)
    {
        TensorView[] all = [.. node.Inputs.Select(i => lowering.Read(i!))];
        var y = lowering.WriteLike(node.Output, all);
        if (all.Length == 1)
            lowering.CopyTo(y, all[0], node.DisplayName);
        else
            Apply(lowering, node, operation, all[0], all[1], y);
        for (var i = 2; i < all.Length; i++)
            Apply(lowering, node, operation, y, all[i], y);
        if (node.Is("Mean"))
            Apply(lowering, node, BinaryOperation.Multiply, y, lowering.Constant(Tensor.Scalar(1f / all.Length)), y);
    }

    /// <summary>y = clamp(a op b); y may be a or b.</summary>
    public static void Apply(Lowering lowering, Node node, BinaryOperation operation, TensorView a, TensorView b, TensorView y,
        float low = float.NegativeInfinity, float high = float.PositiveInfinity)
    {
        if (a.Type != b.Type || a.Type != y.Type || !Binary.Takes(operation, a.Type))
            throw Lowering.Unsupported(node, a.Type);
        var nest = Nest.Of(lowering, y, longestInner: false, a, b);
        lowering.Call(new BinaryArguments
        {
            Operation = lowering.Size((long)operation), Type = y.Type, A = lowering.Operand(a), B = lowering.Operand(b), Y = lowering.Operand(y),
            Extents = nest.Extents, AStrides = nest.Strides[1], BStrides = nest.Strides[2], YStrides = nest.Strides[0], Minimum = low, Maximum = high,
        }, node.DisplayName);
    }

    /// <summary>Neg or Abs of integers.</summary>
    public static void IntegerSign(Lowering lowering, Node node, bool absolute)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var y = lowering.WriteLike(node.Output, x);
        Apply(lowering, node, BinaryOperation.Subtract, lowering.Constant(x.Type == ModelElementType.Int32 ? Tensor.Scalar(0) : Tensor.Scalar(0L)), x, y);
        if (absolute)
            Apply(lowering, node, BinaryOperation.Maximum, x, y, y);
    }

    /// <summary>Relu or Clip of integers.</summary>
    public static void ClampIntegers(Lowering lowering, Node node)
    {
        var x = lowering.Read(node.Inputs[0]!);
        var y = lowering.WriteLike(node.Output, x);
        if (node.Is("Clip"))
        {
            Clamp(lowering, node, x, y);
            return;
        }
        var zero = x.Type switch
        {
            ModelElementType.Int32 => Tensor.Scalar(0),
            ModelElementType.Int64 => Tensor.Scalar(0L),
            ModelElementType.Int8 => Tensor.Scalar((sbyte)0),
            _ => throw Lowering.Unsupported(node, x.Type),
        };
        Apply(lowering, node, BinaryOperation.Maximum, x, lowering.Constant(zero), y);
    }

    /// <summary>Clip by bounds that are computed.</summary>
    public static void ClampByValues(Lowering lowering, Node node)
    {
        var x = lowering.Read(node, 0);
        Clamp(lowering, node, x, lowering.WriteLike(node.Output, x));
    }

    private static void Clamp(Lowering lowering, Node node, TensorView x, TensorView y)
    {
        var from = x;
        foreach (var (index, operation) in new[] { (1, BinaryOperation.Maximum), (2, BinaryOperation.Minimum) })
        {
            if (node.Input(index) is not { } bound)
                continue;
            Apply(lowering, node, operation, from, lowering.Read(bound), y);
            from = y;
        }
        if (ReferenceEquals(from, x))
            lowering.CopyTo(y, x, node.DisplayName);
    }
}
