using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace ModelBuild.Onnx;

/// <summary>
/// An integer expression over named dimensions, in normal form: a sum of products of atoms with integer coefficients.
/// An atom is a named dimension or an operation that does not distribute (floor division, minimum, maximum, broadcasting).
/// </summary>
/// <remarks>Names may hold anything, an asterisk or a bracket too, so that expressions are compared by keys that write names with their length, never by their
/// text.</remarks>
public sealed class DimensionExpression : IEquatable<DimensionExpression>
{
    // Monomial (keys of its atoms) -> coefficient; no zero coefficients. The empty monomial is the constant term.
    private readonly ImmutableSortedDictionary<string, (ImmutableArray<Atom> Atoms, long Coefficient)> _terms;
    private readonly string _text;
    private readonly string _key;

    private DimensionExpression(ImmutableSortedDictionary<string, (ImmutableArray<Atom>, long)> terms)
    {
        _terms = terms;
        _text = Render();
        _key = string.Join('+', terms.Select(static t => $"{t.Value.Item2}[{t.Key}]"));
    }

    private static readonly ImmutableSortedDictionary<string, (ImmutableArray<Atom>, long)> Empty =
        ImmutableSortedDictionary<string, (ImmutableArray<Atom>, long)>.Empty.WithComparers(StringComparer.Ordinal);

    /// <summary>A constant.</summary>
    public static DimensionExpression Constant(long value) => new(value == 0 ? Empty : Empty.Add("", ([], value)));

    /// <summary>A named dimension.</summary>
    public static DimensionExpression Symbol(string name) => Of(new Atom(AtomKind.Symbol, name, null, null));

    /// <summary>A size that is not known, but the same wherever this expression stands. Its name, which is for people, is none that a model could
    /// use.</summary>
    internal static DimensionExpression Fresh(string name) => Of(new Atom(AtomKind.Symbol, name, null, null, isFresh: true));

    /// <summary>The expression that is one atom.</summary>
    internal static DimensionExpression OfAtom(Atom atom) => Of(atom);

    /// <summary>What tells expressions apart, whatever their names hold.</summary>
    internal string Key => _key;

    /// <summary>Quotient rounded towards minus infinity, as the shape rules of convolution and pooling use it.</summary>
    public static DimensionExpression FloorDivide(DimensionExpression a, DimensionExpression b)
    {
        if (b.TryConstant(out var d) && d != 0)
        {
            if (d == 1)
                return a;
            if (a.TryConstant(out var n))
                return Constant(FloorDivide(n, d));
            // Terms divisible by d leave the division: floor((d*x + r) / d) = x + floor(r / d).
            var whole = a._terms.Values.Where(t => t.Coefficient % d == 0).ToList();
            if (whole.Count == a._terms.Count)
                return Sum(a._terms.Values.Select(t => (t.Atoms, t.Coefficient / d)));
            if (whole.Count > 0)
                return Sum(whole.Select(t => (t.Atoms, t.Coefficient / d)))
                    + FloorDivide(Sum(a._terms.Values.Where(t => t.Coefficient % d != 0)), b);
        }
        if (a.Equals(b))
            return Constant(1);
        // A single product divided by one of its factors.
        if (a._terms.Count == 1 && b._terms.Count == 1)
        {
            var (atoms, c) = a._terms.Values.First();
            var (divisors, e) = b._terms.Values.First();
            if (e != 0 && c % e == 0)
            {
                var rest = atoms;
                var all = true;
                foreach (var x in divisors)
                {
                    var i = rest.IndexOf(x);
                    if (i < 0)
                    {
                        all = false;
                        break;
                    }
                    rest = rest.RemoveAt(i);
                }
                if (all)
                    return Sum([(rest, c / e)]);
            }
        }
        return Of(new Atom(AtomKind.FloorDivide, null, a, b));
    }

    /// <summary>Remainder with the sign of the divisor.</summary>
    public static DimensionExpression Modulo(DimensionExpression a, DimensionExpression b) => a - FloorDivide(a, b) * b;

    /// <summary>The smaller of two.</summary>
    public static DimensionExpression Min(DimensionExpression a, DimensionExpression b) =>
        (a - b).TryConstant(out var d) ? d <= 0 ? a : b : Of(Ordered(AtomKind.Min, a, b));

    /// <summary>The larger of two.</summary>
    public static DimensionExpression Max(DimensionExpression a, DimensionExpression b) =>
        (a - b).TryConstant(out var d) ? d >= 0 ? a : b : Of(Ordered(AtomKind.Max, a, b));

    /// <summary>The size that two broadcast to: either one where they are equal, the other one where one of them is 1.</summary>
    public static DimensionExpression Broadcast(DimensionExpression a, DimensionExpression b)
    {
        if (a.Equals(b) || a.IsBroadcastFrom(b) || b.TryConstant(out var d) && d == 1)
            return a;
        return b.IsBroadcastFrom(a) || a.TryConstant(out var c) && c == 1 ? b : Of(Ordered(AtomKind.Broadcast, a, b));
    }

    /// <summary>Whether a size is one of those that this one is broadcast from.</summary>
    internal bool IsBroadcastFrom(DimensionExpression other) =>
        _terms.Count == 1 && _terms.Values.First() is { Coefficient: 1, Atoms: [{ Kind: AtomKind.Broadcast } atom] }
        && new[] { atom.Left!, atom.Right! }.Any(part => part.Equals(other) || part.IsBroadcastFrom(other));

    /// <summary>Sum.</summary>
    public static DimensionExpression operator +(DimensionExpression a, DimensionExpression b) => Sum(a._terms.Values.Concat(b._terms.Values));

    /// <summary>Difference.</summary>
    public static DimensionExpression operator -(DimensionExpression a, DimensionExpression b) =>
        Sum(a._terms.Values.Concat(b._terms.Values.Select(t => (t.Atoms, checked(-t.Coefficient)))));

    /// <summary>Product.</summary>
    public static DimensionExpression operator *(DimensionExpression a, DimensionExpression b) =>
        Sum(from x in a._terms.Values
            from y in b._terms.Values
            select (x.Atoms.AddRange(y.Atoms).Sort(Compare), checked(x.Coefficient * y.Coefficient)));

    /// <summary>Whether the expression is a constant, and which.</summary>
    public bool TryConstant(out long value)
    {
        value = 0;
        if (_terms.Count == 0)
            return true;
        if (_terms.Count > 1 || !_terms.TryGetValue("", out var term))
            return false;
        value = term.Coefficient;
        return true;
    }

    /// <summary>The name, where the expression is exactly one named dimension.</summary>
    public string? SymbolName =>
        _terms.Count == 1 && _terms.Values.First() is { Coefficient: 1, Atoms: [{ Kind: AtomKind.Symbol } atom] } ? atom.Name : null;

    /// <summary>All named dimensions that occur, in ordinal order.</summary>
    public IReadOnlyCollection<string> Symbols
    {
        get
        {
            var found = new SortedSet<string>(StringComparer.Ordinal);
            Collect(found);
            return found;
        }
    }

    /// <summary>The value under a binding of all names, or null where a name is not bound or a divisor is 0.</summary>
    public long? Evaluate(IReadOnlyDictionary<string, long> binding)
    {
        long sum = 0;
        foreach (var (atoms, coefficient) in _terms.Values)
        {
            var product = coefficient;
            foreach (var atom in atoms)
            {
                if (atom.Evaluate(binding) is not { } v)
                    return null;
                product = checked(product * v);
            }
            sum = checked(sum + product);
        }
        return sum;
    }

    /// <summary>The expression with some names replaced by constants.</summary>
    public DimensionExpression Substitute(IReadOnlyDictionary<string, long> binding)
    {
        var result = Constant(0);
        foreach (var (atoms, coefficient) in _terms.Values)
        {
            var product = Constant(coefficient);
            foreach (var atom in atoms)
                product *= atom.Substitute(binding);
            result += product;
        }
        return result;
    }

    /// <summary>The terms: coefficient and factors. For lowering to other representations.</summary>
    public IEnumerable<(long Coefficient, ImmutableArray<Atom> Factors)> Terms => _terms.Values.Select(t => (t.Coefficient, t.Atoms));

    /// <summary>Whether a size occurs that is not known.</summary>
    internal bool HasFresh => _terms.Values.Any(static t => t.Atoms.Any(static a => a.IsFresh || a.Left?.HasFresh == true || a.Right?.HasFresh == true));

    private void Collect(SortedSet<string> found)
    {
        foreach (var (atoms, _) in _terms.Values)
            foreach (var atom in atoms)
            {
                if (atom.Name is not null)
                    found.Add(atom.Name);
                atom.Left?.Collect(found);
                atom.Right?.Collect(found);
            }
    }

    private static Atom Ordered(AtomKind kind, DimensionExpression a, DimensionExpression b) =>
        string.CompareOrdinal(a._key, b._key) <= 0 ? new(kind, null, a, b) : new(kind, null, b, a);

    private static int Compare(Atom a, Atom b) => string.CompareOrdinal(a.Text, b.Text) is var order && order != 0 ? order
        : string.CompareOrdinal(a.Key, b.Key);

    /// <summary>A factor by itself.</summary>
    public static DimensionExpression Of(Atom atom) => Sum([(ImmutableArray.Create(atom), 1L)]);

    private static DimensionExpression Sum(IEnumerable<(ImmutableArray<Atom> Atoms, long Coefficient)> terms)
    {
        var builder = Empty.ToBuilder();
        foreach (var (atoms, coefficient) in terms)
        {
            var key = string.Join('*', atoms.Select(static a => a.Key));
            var total = builder.TryGetValue(key, out var present) ? checked(present.Item2 + coefficient) : coefficient;
            if (total == 0)
                builder.Remove(key);
            else
                builder[key] = (atoms, total);
        }
        return new(builder.ToImmutable());
    }

    private static long FloorDivide(long n, long d) => n / d - (n % d != 0 && n < 0 != d < 0 ? 1 : 0);

    private string Render()
    {
        if (_terms.Count == 0)
            return "0";
        var text = new StringBuilder();
        // The constant term last, as people write it.
        foreach (var (atoms, coefficient) in _terms.Values.OrderBy(static t => t.Atoms.IsEmpty)
            .ThenBy(static t => string.Join('*', t.Atoms.Select(static a => a.Text)), StringComparer.Ordinal))
        {
            var magnitude = coefficient < 0 ? -(decimal)coefficient : coefficient;
            if (coefficient < 0)
                text.Append('-');
            else if (text.Length > 0)
                text.Append('+');
            if (atoms.IsEmpty || magnitude != 1)
                text.Append(magnitude.ToString(CultureInfo.InvariantCulture));
            if (!atoms.IsEmpty && magnitude != 1)
                text.Append('*');
            text.AppendJoin('*', atoms.Select(a => a.Text));
        }
        return text.ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(DimensionExpression? other) => other is not null && _key == other._key;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DimensionExpression);

    /// <inheritdoc/>
    public override int GetHashCode() => _key.GetHashCode(StringComparison.Ordinal);

    /// <summary>What an atom is.</summary>
    public enum AtomKind
    {
        /// <summary>A named dimension.</summary>
        Symbol,
        /// <summary>Quotient rounded down.</summary>
        FloorDivide,
        /// <summary>The smaller of two.</summary>
        Min,
        /// <summary>The larger of two.</summary>
        Max,
        /// <summary>The size that two broadcast to.</summary>
        Broadcast,
    }

    /// <summary>A factor that cannot be taken apart further.</summary>
    public sealed class Atom : IEquatable<Atom>
    {
        internal Atom(AtomKind kind, string? name, DimensionExpression? left, DimensionExpression? right, bool isFresh = false)
        {
            Kind = kind;
            Name = isFresh ? null : name;
            Left = left;
            Right = right;
            Text = kind switch
            {
                AtomKind.Symbol => name!,
                AtomKind.FloorDivide => $"floor(({left})/({right}))",
                AtomKind.Min => $"min({left},{right})",
                AtomKind.Max => $"max({left},{right})",
                _ => $"broadcast({left},{right})",
            };
            Key = kind == AtomKind.Symbol ? $"{(isFresh ? "?" : "")}{name!.Length}:{name}" : $"{kind}({left!._key},{right!._key})";
        }

        /// <summary>What the atom is.</summary>
        public AtomKind Kind { get; }

        /// <summary>The name of a named dimension; null for operations, and for a size that only a run tells.</summary>
        public string? Name { get; }

        /// <summary>The first operand of an operation, else null.</summary>
        public DimensionExpression? Left { get; }

        /// <summary>The second operand of an operation, else null.</summary>
        public DimensionExpression? Right { get; }

        internal string Text { get; }

        internal string Key { get; }

        /// <summary>Whether this is a size that is not known.</summary>
        internal bool IsFresh => Kind == AtomKind.Symbol && Name is null;

        internal long? Evaluate(IReadOnlyDictionary<string, long> binding)
        {
            if (Kind == AtomKind.Symbol)
                return Name is not null && binding.TryGetValue(Name, out var v) ? v : null;
            return Left!.Evaluate(binding) is { } l && Right!.Evaluate(binding) is { } r
                ? Kind switch
                {
                    AtomKind.FloorDivide => r == 0 ? null : FloorDivide(l, r),
                    AtomKind.Min => Math.Min(l, r),
                    AtomKind.Max => Math.Max(l, r),
                    _ => l == 1 ? r : l,
                }
                : null;
        }

        internal DimensionExpression Substitute(IReadOnlyDictionary<string, long> binding) => Kind switch
        {
            AtomKind.Symbol => Name is not null && binding.TryGetValue(Name, out var v) ? Constant(v) : Of(this),
            AtomKind.FloorDivide => DimensionExpression.FloorDivide(Left!.Substitute(binding), Right!.Substitute(binding)),
            AtomKind.Min => Min(Left!.Substitute(binding), Right!.Substitute(binding)),
            AtomKind.Max => Max(Left!.Substitute(binding), Right!.Substitute(binding)),
            _ => Broadcast(Left!.Substitute(binding), Right!.Substitute(binding)),
        };

        private static long FloorDivide(long n, long d) => DimensionExpression.FloorDivide(n, d);

        /// <inheritdoc/>
        public bool Equals(Atom? other) => other is not null && Key == other.Key;

        /// <inheritdoc/>
        public override bool Equals(object? obj) => Equals(obj as Atom);

        /// <inheritdoc/>
        public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);
    }
}
