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
        _ => throw new NotLoweredException($"a dimension is the larger of {atom.Left} and {atom.Right} only where one of them is 1 or both are equal"),
    };
}
