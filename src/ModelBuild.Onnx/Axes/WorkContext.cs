namespace ModelBuild.Onnx;

/// <summary>One node whose operator is asked for its work: its attributes, and the sizes of a call.</summary>
/// <param name="node">The node.</param>
/// <param name="shapeOf">The sizes of a value; null where they are not known.</param>
public sealed class WorkContext(Node node, Func<Value, double[]?> shapeOf)
{
    /// <summary>The node, for its attributes.</summary>
    public Node Node => node;

    /// <summary>The sizes of an input; null where it is left out or they are not known.</summary>
    public double[]? Shape(int input) => node.Input(input) is { } v ? shapeOf(v) : null;

    /// <summary>The sizes of an output; null where it is left out or they are not known.</summary>
    public double[]? OutputShape(int output) => output < node.Outputs.Count && node.Outputs[output].Name.Length > 0 ? shapeOf(node.Outputs[output]) : null;

    /// <summary>The elements of an input; 1 where its sizes are not known.</summary>
    public double Elements(int input) => Product(Shape(input));

    /// <summary>The elements of an output; 1 where its sizes are not known.</summary>
    public double OutputElements(int output = 0) => Product(OutputShape(output));

    /// <summary>The size of an axis of an input, counted from the end where negative; 1 where it is not known.</summary>
    public double Along(int input, int axis) =>
        Shape(input) is { Length: > 0 } s ? s[axis < 0 ? Math.Max(0, s.Length + axis) : Math.Min(axis, s.Length - 1)] : 1;

    /// <summary>The bytes of all inputs and outputs by their types, and multiply-adds.</summary>
    public Work Work(double multiplyAdds = 0) => new(multiplyAdds,
        node.Inputs.Select((v, i) => v is null ? 0 : Bytes(v, Elements(i))).Sum(),
        node.Outputs.Select((v, i) => v.Name.Length == 0 ? 0 : Bytes(v, OutputElements(i))).Sum());

    /// <summary>The product of sizes from one on; 1 where they are not known.</summary>
    public static double Product(double[]? shape, int from = 0) => shape is null ? 1 : shape.Skip(from).Aggregate(1.0, static (a, b) => a * b);

    private static double Bytes(Value value, double elements) =>
        elements * ElementTypes.BitsOf(value.Constant?.ElementType ?? value.Type?.ElementType ?? ElementType.Undefined) / 8;
}
