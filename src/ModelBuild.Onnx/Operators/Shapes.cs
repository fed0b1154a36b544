using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>Rules of shapes that several operators share.</summary>
internal static class Shapes
{
    /// <summary>A shape of which only the rank is known.</summary>
    public static ImmutableArray<Dimension> OfRank(int rank) => [.. Enumerable.Repeat(Dimension.Unknown, rank)];

    /// <summary>A shape of constants.</summary>
    public static ImmutableArray<Dimension> Of(params ReadOnlySpan<long> shape)
    {
        var dims = ImmutableArray.CreateBuilder<Dimension>(shape.Length);
        foreach (var d in shape)
            dims.Add(d);
        return dims.MoveToImmutable();
    }

    /// <summary>The shape that two shapes broadcast to; default where a rank is unknown.</summary>
    public static ImmutableArray<Dimension> Broadcast(ImmutableArray<Dimension> a, ImmutableArray<Dimension> b)
    {
        if (a.IsDefault || b.IsDefault)
            return default;
        var rank = Math.Max(a.Length, b.Length);
        var result = ImmutableArray.CreateBuilder<Dimension>(rank);
        for (var i = 0; i < rank; i++)
        {
            var x = i < rank - a.Length ? 1 : a[i - rank + a.Length];
            var y = i < rank - b.Length ? 1 : b[i - rank + b.Length];
            result.Add(Broadcast(x, y));
        }
        return result.MoveToImmutable();
    }

    private static Dimension Broadcast(Dimension x, Dimension y)
    {
        if (x == y && !x.IsUnknown)
            return x;
        if (x.IsConstant && x.Value == 1)
            return y;
        if (y.IsConstant && y.Value == 1)
            return x;
        if (x.IsConstant && y.IsConstant)
            throw new InvalidOperationException($"dimensions {x} and {y} cannot be broadcast together");
        // A constant other than 1 decides: the other one must be equal to it, or 1.
        if (x.IsConstant || y.IsConstant)
            return x.IsConstant ? x : y;
        // min(n, x) and x can only go together where the first is the second (a table cut to a length).
        return IsMinimumWith(x, y) ? y : IsMinimumWith(y, x) ? x : Dimension.Broadcast(x, y);
    }

    private static bool IsMinimumWith(Dimension minimum, Dimension other) => !minimum.IsUnknown && !other.IsUnknown
        && minimum.Expression!.Terms.ToArray() is [{ Coefficient: 1, Factors: [{ Kind: DimensionExpression.AtomKind.Min } atom] }]
        && (other.Expression!.Equals(atom.Left) || other.Expression.Equals(atom.Right));

    /// <summary>Whether an expression over sizes, which are not negative, cannot be negative itself.</summary>
    public static bool IsNotNegative(Dimension d) => d.Expression is { } e && e.Terms.All(static t => t.Coefficient >= 0
        && t.Factors.All(static f => f.Kind == DimensionExpression.AtomKind.Symbol || IsNotNegative(Dimension.Of(f.Left!))
            && IsNotNegative(Dimension.Of(f.Right!))));

    /// <summary>What is known from two descriptions of one shape; the first counts where both know something.</summary>
    public static ImmutableArray<Dimension> Merge(ImmutableArray<Dimension> first, ImmutableArray<Dimension> second)
    {
        if (first.IsDefault)
            return second;
        if (second.IsDefault || second.Length != first.Length)
            return first;
        return [.. first.Zip(second, static (a, b) => a.IsConstant ? a : b.IsConstant ? b : a.IsUnknown ? b : a)];
    }

    /// <summary>What holds for a value that has one of two shapes.</summary>
    public static ImmutableArray<Dimension> Common(ImmutableArray<Dimension> a, ImmutableArray<Dimension> b) =>
        a.IsDefault || b.IsDefault || a.Length != b.Length ? default : [.. a.Zip(b, static (x, y) => x == y ? x : Dimension.Unknown)];

    /// <summary>The product of dimensions; 1 for none.</summary>
    public static Dimension Product(IEnumerable<Dimension> dimensions)
    {
        Dimension product = 1;
        foreach (var d in dimensions)
            product *= d;
        return product;
    }

    /// <summary>Quotient rounded up.</summary>
    public static Dimension CeilDivide(Dimension a, Dimension b) => (a + b - 1) / b;
}
