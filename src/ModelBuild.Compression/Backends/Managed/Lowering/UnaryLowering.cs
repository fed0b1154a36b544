using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Functions of one tensor of floats.</summary>
internal static class UnaryLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        Of("Sigmoid", UnaryOperation.Sigmoid), Of("Tanh", UnaryOperation.Tanh), Of("Exp", UnaryOperation.Exp), Of("Neg", UnaryOperation.Negate),
        Of("Abs", UnaryOperation.Abs), Of("Sqrt", UnaryOperation.Sqrt), Of("Reciprocal", UnaryOperation.Reciprocal), Of("HardSwish", UnaryOperation.HardSwish),
        Of("Erf", UnaryOperation.Erf), Of("Softsign", UnaryOperation.Softsign), Of("Sign", UnaryOperation.Sign), Of("Floor", UnaryOperation.Floor),
        Of("Ceil", UnaryOperation.Ceiling), Of("Round", UnaryOperation.Round), Of("Log", UnaryOperation.Log), Of("Sin", UnaryOperation.Sin),
        Of("Cos", UnaryOperation.Cos), Of("Tan", UnaryOperation.Tan), Of("Asin", UnaryOperation.Asin), Of("Acos", UnaryOperation.Acos),
        Of("Atan", UnaryOperation.Atan), Of("Sinh", UnaryOperation.Sinh), Of("Cosh", UnaryOperation.Cosh), Of("Asinh", UnaryOperation.Asinh),
        Of("Acosh", UnaryOperation.Acosh), Of("Atanh", UnaryOperation.Atanh), Of("Softplus", UnaryOperation.Softplus), Of("Mish", UnaryOperation.Mish),
        With("LeakyRelu", static n => (UnaryOperation.LeakyRelu, n.Float("alpha", 0.01f), 0)),
        With("Elu", static n => (UnaryOperation.Elu, n.Float("alpha", 1), 0)),
        With("HardSigmoid", static n => (UnaryOperation.HardSigmoid, n.Float("alpha", 0.2f), n.Float("beta", 0.5f))),
        With("Swish", static n => (UnaryOperation.Swish, n.Float("alpha", 1), 0)),
        With("ThresholdedRelu", static n => (UnaryOperation.ThresholdedRelu, n.Float("alpha", 1), 0)),
        With("Selu", static n => (UnaryOperation.Selu, n.Float("alpha", 1.67326319f), n.Float("gamma", 1.05070102f))),
        With("Celu", static n => (UnaryOperation.Celu, n.Float("alpha", 1), 0)),
        With("Shrink", static n => (UnaryOperation.Shrink, n.Float("lambd", 0.5f), n.Float("bias"))),
        With("Gelu", static n => (n.String("approximate", "none") == "tanh" ? UnaryOperation.GeluTanh : UnaryOperation.Gelu, 0, 0)),
        new("Relu", new(Clamp)),
        new("Clip", new(Clamp)),
    ];

    private static readonly Dictionary<string, Func<Node, (UnaryOperation, float, float)>> Settings = new(StringComparer.Ordinal);

    /// <summary>The function that a node of one input is, with its parameters, if convolutions apply it as they write; else null.</summary>
    public static (UnaryOperation Operation, float Alpha, float Beta)? SettingsOf(Node node) =>
        node.Domain.Length == 0 && Settings.TryGetValue(node.OpType, out var settings) && settings(node) is var s
            && FusedActivation.Of(s.Item1) <= FusedActivation.Last
            ? s : null;

    private static KeyValuePair<string, OperatorLowering> Of(string name, UnaryOperation operation) => With(name, _ => (operation, 0, 0));

    private static KeyValuePair<string, OperatorLowering> With(string name, Func<Node, (UnaryOperation, float, float)> settings)
    {
        Settings[name] = settings;
        return new(name, new((lowering, node) =>
        {
            var (operation, alpha, beta) = settings(node);
            Lower(lowering, node, operation, alpha, beta);
        }));
    }

    private static void Clamp(Lowering lowering, Node node)
    {
        if (lowering.TypeOf(node.Output) != ModelElementType.Float)
        {
            BinaryLowering.ClampIntegers(lowering, node);
            return;
        }
        if (lowering.Bounds(node) is { } bounds)
            Lower(lowering, node, UnaryOperation.Clamp, bounds.Low, bounds.High);
        else
            BinaryLowering.ClampByValues(lowering, node);
    }

    private static void Lower(Lowering lowering, Node node, UnaryOperation operation, float alpha, float beta)
    {
        if (operation is UnaryOperation.Negate or UnaryOperation.Abs && lowering.TypeOf(node.Output) is ModelElementType.Int32 or ModelElementType.Int64)
        {
            BinaryLowering.IntegerSign(lowering, node, operation == UnaryOperation.Abs);
            return;
        }
        var input = lowering.Read(node, 0);
        Apply(lowering, node, input, lowering.WriteLike(node.Output, input), operation, alpha, beta);
    }

    /// <summary>A function of a view, in a buffer of its own.</summary>
    public static TensorView Apply(Lowering lowering, Node node, TensorView x, UnaryOperation operation, float alpha = 0, float beta = 0)
    {
        var y = lowering.Allocate(x.Extents, ModelElementType.Float, x.Order);
        Apply(lowering, node, x, y, operation, alpha, beta);
        return y;
    }

    /// <summary>y = f(x); y may be x.</summary>
    public static void Apply(Lowering lowering, Node node, TensorView x, TensorView y, UnaryOperation operation, float alpha, float beta)
    {
        var nest = Nest.Of(lowering, y, longestInner: false, x);
        lowering.Call(new UnaryArguments
        {
            Operation = lowering.Size((long)operation), X = lowering.Operand(x), Y = lowering.Operand(y), Extents = nest.Extents, XStrides = nest.Strides[1],
            YStrides = nest.Strides[0], Alpha = alpha, Beta = beta,
        }, node.DisplayName);
    }
}
