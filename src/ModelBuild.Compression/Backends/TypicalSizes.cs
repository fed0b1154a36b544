using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Sizes of values in a typical call.</summary>
/// <param name="dimensions">Sizes of named dimensions; those that are missing count as 1.</param>
public sealed class TypicalSizes(IReadOnlyDictionary<string, long> dimensions)
{
    /// <summary>The sizes of a value's axes; null where its rank is not known.</summary>
    public double[]? Shape(Value value) =>
        (value.Type is { HasRank: true } type ? type : value.Constant?.Type) is { } known ? [.. known.Shape.Select(Size)] : null;

    /// <summary>How many multiply-adds a node takes; 0 where that is not known.</summary>
    public double MultiplyAdds(Node node) => OperatorRegistry.Find(node.Domain, node.OpType)?.Work(new(node, Shape)).MultiplyAdds ?? 0;

    /// <summary>How many elements a value has; 1 where its shape is not known.</summary>
    public double Elements(Value value)
    {
        if (value.Type is not { HasRank: true } type)
            return 1;
        double n = 1;
        foreach (var d in type.Shape)
            n *= Size(d);
        return n;
    }

    /// <summary>The size along an axis, counted from the end where negative; 1 where it is not known.</summary>
    public double Along(Value value, int axis) =>
        value.Type is { HasRank: true, Rank: > 0 } type ? Size(type.Shape[axis < 0 ? type.Rank + axis : Math.Min(axis, type.Rank - 1)]) : 1;

    private double Size(Dimension d)
    {
        if (d.IsConstant)
            return d.Value;
        if (d.Expression is not { } expression)
            return 1;
        var binding = expression.Symbols.ToDictionary(s => s, s => dimensions.GetValueOrDefault(s, 1), StringComparer.Ordinal);
        return Math.Max(1, expression.Evaluate(binding) ?? 1);
    }
}
