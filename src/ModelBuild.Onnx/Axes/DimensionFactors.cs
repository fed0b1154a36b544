namespace ModelBuild.Onnx;

/// <summary>A dimension as a product: a number and powers of what cannot be taken apart. Products divide each other where their factors do.</summary>
internal sealed class DimensionFactors
{
    private readonly SortedDictionary<string, (int Power, Dimension Base)> _powers;

    private DimensionFactors(long number, SortedDictionary<string, (int, Dimension)> powers)
    {
        Number = number;
        _powers = powers;
    }

    public static DimensionFactors One { get; } = new(1, new(StringComparer.Ordinal));

    public long Number { get; }

    /// <summary>The factors of a dimension; null where it is unknown or 0.</summary>
    public static DimensionFactors? Of(Dimension d)
    {
        if (d.IsConstant)
            return d.Value > 0 ? new(d.Value, new(StringComparer.Ordinal)) : null;
        if (d.Expression is not { } e)
            return null;
        var terms = e.Terms.ToArray();
        var powers = new SortedDictionary<string, (int Power, Dimension Base)>(StringComparer.Ordinal);
        if (terms.Length == 1)
        {
            if (terms[0].Coefficient <= 0)
                return null;
            foreach (var atom in terms[0].Factors)
                powers[atom.Key] = (powers.GetValueOrDefault(atom.Key).Power + 1, Dimension.Of(DimensionExpression.OfAtom(atom)));
            return new(terms[0].Coefficient, powers);
        }
        // A sum: the number that divides every term leaves it, the rest is one factor.
        var common = terms.Aggregate(0L, static (g, t) => Gcd(g, Math.Abs(t.Coefficient)));
        var rest = common > 1 ? d / common : d;
        if (rest.IsUnknown)
            return null;
        powers[rest.Expression!.Key] = (1, rest);
        return new(Math.Max(1, common), powers);
    }

    public DimensionFactors Times(DimensionFactors other) => Combine(other, checked(Number * other.Number), static (a, b) => a + b);

    /// <summary>The smallest product that both divide.</summary>
    public DimensionFactors LeastMultiple(DimensionFactors other) => Combine(other, checked(Number / Gcd(Number, other.Number) * other.Number), Math.Max);

    /// <summary>The largest product that divides both.</summary>
    public DimensionFactors GreatestDivisor(DimensionFactors other) => Combine(other, Gcd(Number, other.Number), Math.Min);

    public bool Divides(DimensionFactors other) => other.Number % Number == 0
        && _powers.All(p => other._powers.GetValueOrDefault(p.Key).Power >= p.Value.Power);

    /// <summary>The quotient by a product that divides this one.</summary>
    public DimensionFactors Over(DimensionFactors divisor) => Combine(divisor, Number / divisor.Number, static (a, b) => a - b);

    public bool IsOne => Number == 1 && _powers.Count == 0;

    public bool Equals(DimensionFactors other) => Number == other.Number && _powers.Count == other._powers.Count
        && _powers.All(p => other._powers.GetValueOrDefault(p.Key).Power == p.Value.Power);

    public Dimension ToDimension()
    {
        Dimension product = Number;
        foreach (var (power, b) in _powers.Values)
            for (var i = 0; i < power; i++)
                product *= b;
        return product;
    }

    private DimensionFactors Combine(DimensionFactors other, long number, Func<int, int, int> power)
    {
        var powers = new SortedDictionary<string, (int, Dimension)>(StringComparer.Ordinal);
        foreach (var key in _powers.Keys.Union(other._powers.Keys))
        {
            var (a, b) = (_powers.GetValueOrDefault(key), other._powers.GetValueOrDefault(key));
            if (power(a.Power, b.Power) is > 0 and var p)
                powers[key] = (p, a.Power > 0 ? a.Base : b.Base);
        }
        return new(number, powers);
    }

    private static long Gcd(long a, long b)
    {
        while (b != 0)
            (a, b) = (b, a % b);
        return a;
    }
}
