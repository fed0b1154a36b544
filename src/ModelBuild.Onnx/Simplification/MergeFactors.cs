namespace ModelBuild.Onnx.Simplification;

/// <summary>Makes one Mul (Add) of two with constants, where the product (sum) of the constants is no larger than one of them.</summary>
internal sealed class MergeFactors : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (node.Domain.Length != 0 || node.OpType is not ("Mul" or "Add") || context.Model.Opset < 7)
            return false;
        var (value, outer) = Split(node, context);
        if (value?.Producer is not { Domain: "" } first || first.OpType != node.OpType || !ReferenceEquals(value.OnlyUser, node)
            || !ReferenceEquals(first.Graph, node.Graph))
            return false;
        var (source, inner) = Split(first, context);
        if (outer is null || inner is null || !ElementTypes.IsFloat(outer.ElementType))
            return false;
        System.Collections.Immutable.ImmutableArray<long> shape;
        try
        {
            shape = Indexing.BroadcastShape(outer.Shape, inner.Shape);
        }
        catch (InvalidOperationException)
        {
            // Each fits the value, but they do not fit each other.
            return false;
        }
        if (Tensor.Count(shape.AsSpan()) > Math.Max(outer.Length, inner.Length))
            return false;
        var product = node.OpType == "Mul";
        var values = Elementwise.Map<double, double>(Numbers.Doubles(outer), outer.Shape, Numbers.Doubles(inner), inner.Shape, shape, (a, b) => product ? a * b
            : a + b);
        if (values.Any(v => !double.IsFinite(Numbers.Round(outer.ElementType, v))))
            return false;
        node.SetInput(0, source);
        node.SetInput(1, node.Graph.AddInitializer($"{node.DisplayName}/constant", Numbers.Of(outer.ElementType, shape, values)));
        PassContext.Unite(node, first);
        return true;
    }

    private static (Value? Value, Tensor? Constant) Split(Node node, PassContext context) =>
        context.Constant(node.Input(1)) is { } second ? (node.Input(0), second)
        : context.Constant(node.Input(0)) is { } first ? (node.Input(1), first) : default;
}
