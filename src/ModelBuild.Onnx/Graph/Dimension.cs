using System.Globalization;

namespace ModelBuild.Onnx;

/// <summary>
/// One dimension of a shape: a constant, an expression over named dimensions, or unknown.
/// </summary>
/// <remarks>Expressions are kept in a normal form (see <see cref="DimensionExpression"/>), so that equal sizes compare equal.</remarks>
public readonly struct Dimension : IEquatable<Dimension>
{
    private readonly long _value;
    private readonly DimensionExpression? _expression;
    private readonly bool _known;

    private Dimension(long value, DimensionExpression? expression, bool known)
    {
        _value = value;
        _expression = expression;
        _known = known;
    }

    /// <summary>A dimension about which nothing is known.</summary>
    public static Dimension Unknown => default;

    /// <summary>A constant dimension.</summary>
    public static Dimension Of(long value) => new(value, null, true);

    /// <summary>A named dimension.</summary>
    public static Dimension Named(string name) => Of(DimensionExpression.Symbol(name));

    /// <summary>The dimension that an expression computes; a constant where the expression is one.</summary>
    public static Dimension Of(DimensionExpression expression) => expression.TryConstant(out var c) ? Of(c) : new(0, expression, true);

    /// <summary>Whether the dimension is a constant.</summary>
    public bool IsConstant => _known && _expression is null;

    /// <summary>Whether nothing is known.</summary>
    public bool IsUnknown => !_known;

    /// <summary>The constant.</summary>
    /// <exception cref="InvalidOperationException">The dimension is not constant.</exception>
    public long Value => IsConstant ? _value : throw new InvalidOperationException($"dimension {this} is not constant");

    /// <summary>The expression, also for constants; null where the dimension is unknown.</summary>
    public DimensionExpression? Expression => !_known ? null : _expression ?? DimensionExpression.Constant(_value);

    /// <summary>The name, where the dimension is exactly one named dimension.</summary>
    public string? Name => _expression?.SymbolName;

    /// <summary>Sum; unknown where a part is, or where the result overflows or would be very long.</summary>
    public static Dimension operator +(Dimension a, Dimension b) => Combine(a, b, static (x, y) => x + y);

    /// <summary>Difference; unknown where a part is.</summary>
    public static Dimension operator -(Dimension a, Dimension b) => Combine(a, b, static (x, y) => x - y);

    /// <summary>Product; unknown where a part is.</summary>
    public static Dimension operator *(Dimension a, Dimension b) => Combine(a, b, static (x, y) => x * y);

    /// <summary>Quotient rounded down; unknown where a part is.</summary>
    public static Dimension operator /(Dimension a, Dimension b) => Combine(a, b, DimensionExpression.FloorDivide);

    /// <summary>What two dimensions broadcast to, which go together; unknown where a part is.</summary>
    internal static Dimension Broadcast(Dimension a, Dimension b) => Combine(a, b, DimensionExpression.Broadcast);

    /// <summary>A constant as a dimension.</summary>
    public static implicit operator Dimension(long value) => Of(value);

    /// <summary>Equality of known dimensions; an unknown one equals nothing but itself as a value.</summary>
    public static bool operator ==(Dimension a, Dimension b) => a.Equals(b);

    /// <summary>Inequality.</summary>
    public static bool operator !=(Dimension a, Dimension b) => !a.Equals(b);

    // Expressions of real models are short; a hostile one must not make them grow without end.
    private const int MaxTextLength = 1024;

    private static Dimension Combine(Dimension a, Dimension b, Func<DimensionExpression, DimensionExpression, DimensionExpression> f)
    {
        if (a.IsUnknown || b.IsUnknown)
            return Unknown;
        try
        {
            var result = f(a.Expression!, b.Expression!);
            return result.ToString().Length <= MaxTextLength ? Of(result) : Unknown;
        }
        catch (OverflowException)
        {
            return Unknown;
        }
    }

    /// <inheritdoc/>
    public bool Equals(Dimension other) => _known == other._known && _value == other._value && Equals(_expression, other._expression);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Dimension d && Equals(d);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_known, _value, _expression);

    /// <inheritdoc/>
    public override string ToString() => !_known ? "?" : _expression?.ToString() ?? _value.ToString(CultureInfo.InvariantCulture);
}
