using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Writes dimensions as a program's expressions over the signature's named dimensions.</summary>
internal sealed class SizeLowering
{
    private readonly ProgramBuilder _builder;
    private readonly Dictionary<string, Size> _symbols = new(StringComparer.Ordinal);

    public SizeLowering(ProgramBuilder builder, IEnumerable<string> symbols)
    {
        _builder = builder;
        foreach (var symbol in symbols)
            _symbols.Add(symbol, builder.AddSymbol(symbol));
    }

    // Longer expressions get a name, or products of them grow beyond what inference follows.
    private const int LongText = 40;
    private readonly Dictionary<Dimension, Dimension> _names = [];

    private HashSet<(Dimension, Dimension)> _equal = [];

    // What a quantity is, as follows from sizes that were said to be equal: levels of a pyramid, each twice the next.
    private Dictionary<Dimension, Dimension> _meanings = [];

    /// <summary>The node that is lowered, for messages.</summary>
    public string Source { get; set; } = "";

    /// <summary>Lowers a region: what is said to be equal within it need not be so behind it.</summary>
    public void Region(Action lower)
    {
        var before = (_equal, _meanings);
        (_equal, _meanings) = ([.. _equal], new(_meanings));
        lower();
        (_equal, _meanings) = before;
    }

    /// <summary>The smaller of a size and a number: equal to the number for every size that is no smaller.</summary>
    public static Dimension AtMost(Dimension size, long most) => Dimension.Of(DimensionExpression.Min(size.Expression!, ((Dimension)most).Expression!));

    /// <summary>Says that two dimensions are equal in every call that the program takes.</summary>
    public void Require(Dimension a, Dimension b)
    {
        if (AreEqual(a, b) || !_equal.Add((a, b)))
            return;
        _builder.Require(Of(a), Of(b), Source);
        foreach (var (one, other) in new[] { (a, b), (b, a) })
        {
            // A quantity and a constant: the quantity is the other side without the constant.
            if (one.Expression!.Terms.Where(static t => t.Factors.Length > 0).ToArray() is [(1, [var atom])] && Quantity(atom) is var quantity
                && !_meanings.ContainsKey(quantity) && !Explained(other).Expression!.Terms.Any(t => t.Factors.Any(f => Quantity(f) == quantity)))
            {
                _meanings[quantity] = other - (one - quantity);
                return;
            }
        }
    }

    /// <summary>Whether two dimensions are equal, as far as they were said to be.</summary>
    public bool AreEqual(Dimension a, Dimension b) => a == b || _equal.Contains((a, b)) || _equal.Contains((b, a))
        || _meanings.Count > 0 && !a.IsUnknown && !b.IsUnknown && Explained(a) == Explained(b);

    private static Dimension Quantity(DimensionExpression.Atom atom) => Dimension.Of(DimensionExpression.Of(atom));

    private Dimension Explained(Dimension dimension)
    {
        for (var depth = 0; depth < 16; depth++)
        {
            Dimension sum = 0;
            foreach (var (coefficient, factors) in dimension.Expression!.Terms)
                sum += factors.Aggregate((Dimension)coefficient, (product, atom) => product * _meanings.GetValueOrDefault(Quantity(atom), Quantity(atom)));
            if (sum.IsUnknown || sum == dimension)
                break;
            dimension = sum;
        }
        return dimension;
    }

    /// <summary>
    /// The same dimension in the terms that a lowering reckons with: what a quotient is gets a name, and of two sizes that meet element by element, of which
    /// one may be 1 as far as inference can tell, the program takes calls where they are equal.
    /// </summary>
    public Dimension Normalized(Dimension dimension)
    {
        if (dimension.IsUnknown || dimension.IsConstant)
            return dimension;
        Dimension sum = 0;
        foreach (var (coefficient, factors) in dimension.Expression!.Terms)
            sum += factors.Aggregate((Dimension)coefficient, (product, atom) => product * Normalized(atom));
        return sum;
    }

    private Dimension Normalized(DimensionExpression.Atom atom)
    {
        if (atom.Kind == DimensionExpression.AtomKind.Symbol)
            return atom.Name is { } name ? Dimension.Named(name) : Dimension.Unknown;
        var (left, right) = (Normalized(Dimension.Of(atom.Left!)), Normalized(Dimension.Of(atom.Right!)));
        if (left.IsUnknown || right.IsUnknown)
            return Dimension.Unknown;
        var result = atom.Kind switch
        {
            DimensionExpression.AtomKind.FloorDivide => left / right,
            DimensionExpression.AtomKind.Min => Dimension.Of(DimensionExpression.Min(left.Expression!, right.Expression!)),
            DimensionExpression.AtomKind.Max => Dimension.Of(DimensionExpression.Max(left.Expression!, right.Expression!)),
            _ => left,
        };
        if (atom.Kind == DimensionExpression.AtomKind.Broadcast && left != right)
            Require(left, right);
        if (result.ToString().Length <= LongText)
            return result;
        if (_names.TryGetValue(result, out var known))
            return known;
        // No file has a name that begins so.
        var alias = $"\0{_names.Count}";
        _symbols[alias] = Of(result);
        return _names[result] = Dimension.Named(alias);
    }

    public Size Of(Dimension dimension) => dimension.Expression is { } e ? Of(e) : throw new NotLoweredException("a dimension is not known");

    public Size[] Of(IEnumerable<Dimension> shape) => [.. shape.Select(Of)];

    public Size Product(IEnumerable<Dimension> shape) => _builder.Product(Of(shape));

    private Size Of(DimensionExpression expression)
    {
        Size? sum = null;
        foreach (var (coefficient, factors) in expression.Terms)
        {
            // A factor of 1 is left out: a named dimension stays one, and tools that read the program see which.
            Size? product = coefficient == 1 && factors.Length > 0 ? null : _builder.Number(coefficient);
            foreach (var factor in factors)
                product = product is { } p ? _builder.Combine(SizeOperator.Product, p, Of(factor)) : Of(factor);
            sum = sum is { } s ? _builder.Combine(SizeOperator.Sum, s, product!.Value) : product;
        }
        return sum ?? _builder.Number(0);
    }

    private Size Of(DimensionExpression.Atom atom) => atom.Kind switch
    {
        DimensionExpression.AtomKind.Symbol => atom.Name is { } name && _symbols.TryGetValue(name, out var index) ? index
            : throw new NotLoweredException($"the dimension '{atom.Name}' is no dimension of an input"),
        DimensionExpression.AtomKind.FloorDivide => _builder.Combine(SizeOperator.Quotient, Of(atom.Left!), Of(atom.Right!)),
        DimensionExpression.AtomKind.Min => _builder.Combine(SizeOperator.Minimum, Of(atom.Left!), Of(atom.Right!)),
        DimensionExpression.AtomKind.Max => _builder.Combine(SizeOperator.Maximum, Of(atom.Left!), Of(atom.Right!)),
        // One of both may be 1, which is broadcast; programs are for calls where they are equal.
        _ => Equal(Of(atom.Left!), Of(atom.Right!)),
    };

    private Size Equal(Size a, Size b)
    {
        _builder.Require(a, b, Source);
        return a;
    }
}
