using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A number computed from all elements along some axes; the axes are an attribute in older operator sets and an input in newer ones.</summary>
internal abstract class ReduceOperator : Operator
{
    /// <summary>The operator set in which the axes became an input.</summary>
    protected virtual int AxesAreInputSince => 18;

    /// <summary>The result of elements; there may be none.</summary>
    protected abstract double Reduce(ReadOnlySpan<double> values);

    /// <summary>The result of integers; there may be none.</summary>
    protected virtual long Reduce(ReadOnlySpan<long> values, ElementType type)
    {
        var numbers = new double[values.Length];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = type == ElementType.UInt64 ? (ulong)values[i] : values[i];
        return (long)Reduce(numbers);
    }

    /// <summary>The product or sum of symbolic elements, where that is what the operator computes.</summary>
    protected virtual Dimension? Reduce(IEnumerable<Dimension> elements) => null;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var axes = AxesArgument.Of(context, AxesAreInputSince, 1, out var known);
        var keep = context.Node.Int("keepdims", 1) != 0;
        if (shape.IsDefault || !known)
        {
            context.Set(0, context.ElementType(0), !shape.IsDefault && keep ? Shapes.OfRank(shape.Length) : default);
            return;
        }
        var reduced = Axes(context.Node, axes, shape.Length);
        context.Set(0, context.ElementType(0), [.. shape.Select((d, i) => reduced.Contains(i) ? 1 : d).Where((_, i) => keep || !reduced.Contains(i))]);
        if (context.Elements(0) is { Shape.Length: 1 } elements && reduced.Count == 1 && Reduce(elements.Elements) is { } result)
            context.SetElements(0, new(keep ? [1] : [], [result]));
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var axes = AxesArgument.Of(context, AxesAreInputSince, 1, out var known);
        if (known && context.Rank(0) is >= 0 and var rank)
            context.Reduce(Axes(context.Node, axes, rank), context.Node.Int("keepdims", 1) != 0);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var reduced = Axes(context.Node, AxesArgument.Of(context, AxesAreInputSince, 1), x.Rank);
        var keep = context.Node.Int("keepdims", 1) != 0;
        ImmutableArray<long> shape = [.. x.Shape.Select((d, i) => reduced.Contains(i) ? 1 : d).Where((_, i) => keep || !reduced.Contains(i))];
        if (reduced.Count == 0 && context.Node.Int("noop_with_empty_axes") != 0)
        {
            // Nothing is reduced, but what is done to each element remains.
            shape = x.Shape;
        }
        // The reduced axes last, so that what belongs together lies together.
        var order = Enumerable.Range(0, x.Rank).Where(i => !reduced.Contains(i)).Concat(reduced.Order()).ToArray();
        var t = reduced.Count == 0 || order.SequenceEqual(Enumerable.Range(0, x.Rank)) ? x : Transpose.Apply(x, order);
        var length = (int)Tensor.Count([.. reduced.Select(i => x.Shape[i])]);
        var count = Indexing.Length(shape);
        if (ElementTypes.IsFloat(x.ElementType))
        {
            var values = Numbers.Doubles(t);
            var result = new double[count];
            for (var i = 0; i < count; i++)
                result[i] = Reduce(values.AsSpan(i * length, length));
            context.Set(0, Numbers.Of(x.ElementType, shape, result));
        }
        else
        {
            var values = Numbers.Integers(t);
            var result = new long[count];
            for (var i = 0; i < count; i++)
                result[i] = Reduce(values.AsSpan(i * length, length), x.ElementType);
            context.Set(0, Numbers.Of(x.ElementType, shape, result));
        }
    }

    private static HashSet<int> Axes(Node node, long[]? axes, int rank) => axes is { Length: > 0 }
        ? [.. axes.Select(a => Indexing.Axis(a, rank))]
        : node.Int("noop_with_empty_axes") != 0 ? [] : [.. Enumerable.Range(0, rank)];
}
