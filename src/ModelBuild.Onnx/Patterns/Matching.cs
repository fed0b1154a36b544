using System.Collections.Immutable;

namespace ModelBuild.Onnx.Patterns;

/// <summary>
/// One attempt to find a form of a pattern at a node. Patterns are walked from the output to the inputs; each step is given what remains to be matched, so that
/// a later failure comes back for the next alternative or order of inputs.
/// </summary>
internal sealed class Matching
{
    // A hostile graph may make every order of inputs nearly fit; real matches take some hundred steps.
    private const int MaxSteps = 20_000;

    // Exporters round constants to six digits and more.
    private const double Tolerance = 2e-6;

    private readonly Node _root;
    private readonly InferenceResult _inference;
    private readonly Dictionary<string, Value> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double[]> _numbers = new(StringComparer.Ordinal);
    private readonly List<(Node Node, bool IsShared)> _nodes = [];
    private int _steps;

    private Matching(Node root, InferenceResult inference)
    {
        _root = root;
        _inference = inference;
    }

    /// <summary>The match that ends in the first output of a node, or null.</summary>
    public static PatternMatch? Try(Pattern pattern, Node root, InferenceResult inference)
    {
        foreach (var form in pattern.Forms)
        {
            if (!form.RootOperators.Contains((root.Domain, root.OpType)))
                continue;
            var matching = new Matching(root, inference);
            if (!matching.Match(form.Root, root.Output, () => matching.IsClosed() && form.Check?.Invoke(matching) != false))
                continue;
            var inside = matching._nodes.Select(static n => n.Node).ToHashSet();
            return new(pattern, form, root.Output, inference, [.. InOrder(root, inside, [])], matching._values.ToImmutableDictionary(),
                matching._values.Where(v => matching.ConstantOf(v.Value) is not null)
                    .ToImmutableDictionary(static v => v.Key, v => matching.ConstantOf(v.Value)!),
                matching._numbers.ToImmutableDictionary());
        }
        return null;
    }

    /// <summary>The value that the match ends in.</summary>
    public Value Output => _root.Output;

    /// <summary>A captured value, or null.</summary>
    public Value? Value(string capture) => _values.GetValueOrDefault(capture);

    /// <summary>The type of a captured value, or null.</summary>
    public TensorType? Type(string capture) => Value(capture) is { } value ? TypeOf(value) : null;

    /// <summary>The type of a value.</summary>
    public TensorType? TypeOf(Value value) => _inference.TypeOf(value);

    /// <summary>The data of a captured constant, or null.</summary>
    public Tensor? Constant(string capture) => Value(capture) is { } value ? ConstantOf(value) : null;

    /// <summary>The data of a constant, or null.</summary>
    public Tensor? ConstantOf(Value value) => _inference.ConstantOf(value);

    /// <summary>Captured numbers, or null.</summary>
    public double[]? Numbers(string capture) => _numbers.GetValueOrDefault(capture);

    /// <summary>A captured number, or null.</summary>
    public double? Number(string capture) => Numbers(capture) is [var number] ? number : null;

    /// <summary>Adds a number that follows from the captures.</summary>
    public void Add(string capture, double number) => _numbers[capture] = [number];

    private bool Match(ValuePattern pattern, Value value, Func<bool> next)
    {
        if (++_steps > MaxSteps)
            return false;
        return pattern.Capture is { } capture && pattern is not NumberValue
            ? Bind(_values, capture, value, ReferenceEquals, () => MatchKind(pattern, value, next))
            : MatchKind(pattern, value, next);
    }

    private bool MatchKind(ValuePattern pattern, Value value, Func<bool> next)
    {
        switch (pattern)
        {
            case AnyValue:
                return next();
            case ConstantValue:
                return ConstantOf(value) is not null && next();
            case NumberValue number:
                if (ConstantOf(value) is not { Length: 1 } constant || Read(constant) is not { } found)
                    return false;
                return number.Expected is { } expected
                    ? IsNear(found[0], expected, constant.ElementType) && next()
                    : Bind(_numbers, number.Capture!, found, static (a, b) => a.AsSpan().SequenceEqual(b), next);
            case Alternatives alternatives:
                foreach (var alternative in alternatives.Patterns)
                    if (Match(alternative, value, next))
                        return true;
                return false;
            case OperatorValue op:
                return MatchOperator(op, value, next);
            default:
                throw new InvalidOperationException($"no such pattern: {pattern.GetType().Name}");
        }
    }

    private bool MatchOperator(OperatorValue op, Value value, Func<bool> next)
    {
        if (value.Producer is not { } node || node.OpType != op.OpType || node.Domain != op.Domain || op.Output >= 0 && value.ProducerIndex != op.Output
            || !op.IsOutside && !ReferenceEquals(node.Graph, _root.Graph) || op.Condition?.Invoke(node, this) == false)
            return false;
        for (var i = op.Inputs.Length; i < node.Inputs.Count && !op.HasMoreInputs; i++)
            if (node.Inputs[i] is not null && op.Parameters.All(p => p.Input != i))
                return false;
        var isNew = !op.IsOutside && _nodes.All(n => !ReferenceEquals(n.Node, node));
        if (isNew)
            _nodes.Add((node, op.IsShared));
        if (MatchParameters(op, node, 0, () => MatchInputs(op, node, 0, isSwapped: false, next) || CanSwap(op)
            && MatchInputs(op, node, 0, isSwapped: true, next)))
            return true;
        if (isNew)
            _nodes.RemoveAt(_nodes.Count - 1);
        return false;
    }

    private bool MatchInputs(OperatorValue op, Node node, int index, bool isSwapped, Func<bool> next)
    {
        if (index == op.Inputs.Length)
            return next();
        return node.Input(isSwapped ? 1 - index : index) is { } input
            && Match(op.Inputs[index], input, () => MatchInputs(op, node, index + 1, isSwapped, next));
    }

    private static bool CanSwap(OperatorValue op) => op is { Domain: "", OpType: "Add" or "Sum" or "Mul" or "Max" or "Min", Inputs.Length: 2 }
        && !op.Inputs[0].Equals(op.Inputs[1]);

    private bool MatchParameters(OperatorValue op, Node node, int index, Func<bool> next)
    {
        if (index == op.Parameters.Length)
            return next();
        var parameter = op.Parameters[index];
        bool Rest() => MatchParameters(op, node, index + 1, next);
        if ((Read(node, parameter) ?? parameter.Otherwise) is not { } numbers)
            return false;
        if (parameter.Expected is { } expected)
            return numbers.Length == expected.Length && numbers.Zip(expected).All(static p => IsNear(p.First, p.Second, ElementType.Float)) && Rest();
        return Bind(_numbers, parameter.Capture!, numbers, static (a, b) => a.AsSpan().SequenceEqual(b), Rest);
    }

    private double[]? Read(Node node, ParameterPattern parameter)
    {
        if (parameter.Input >= 0 && node.Input(parameter.Input) is { } input)
            return ConstantOf(input) is { Length: <= SymbolicTensor.MaxLength } constant ? Read(constant) : null;
        return node.Attributes.GetValueOrDefault(parameter.Name)?.Value switch
        {
            long v => [v],
            float v => [v],
            ImmutableArray<long> v => [.. v.Select(static i => (double)i)],
            ImmutableArray<float> v => [.. v.Select(static f => (double)f)],
            _ => null,
        };
    }

    private static double[]? Read(Tensor constant) => ElementTypes.IsFloat(constant.ElementType) || ElementTypes.IsInteger(constant.ElementType)
        ? Onnx.Numbers.Doubles(constant) : null;

    /// <summary>Captures something for as long as the rest matches; a second capture of the name must be equal.</summary>
    private static bool Bind<T>(Dictionary<string, T> captures, string name, T item, Func<T, T, bool> equals, Func<bool> next)
    {
        if (captures.TryGetValue(name, out var bound))
            return equals(bound, item) && next();
        captures.Add(name, item);
        if (next())
            return true;
        captures.Remove(name);
        return false;
    }

    /// <summary>Whether what the nodes compute is used inside the match alone.</summary>
    private bool IsClosed()
    {
        var inside = _nodes.Select(static n => n.Node).ToHashSet();
        return _nodes.All(n => n.IsShared || ReferenceEquals(n.Node, _root)
            ? n.Node.Outputs.Skip(1).All(o => IsInside(o, inside))
            : n.Node.Outputs.All(o => IsInside(o, inside)));
    }

    private static bool IsInside(Value value, HashSet<Node> inside) =>
        value.Name.Length == 0 || value.Uses.All(u => inside.Contains(u.Node)) && value.HandedOutBy.Count == 0 && !value.IsGraphOutput;

    private static bool IsNear(double found, double expected, ElementType type)
    {
        var precision = type switch { ElementType.Float16 => 1e-3, ElementType.BFloat16 => 8e-3, _ => Tolerance };
        return found.Equals(expected) || Math.Abs(found - expected) <= precision * Math.Abs(expected);
    }

    /// <summary>Some nodes, from one backwards, each after those that it reads.</summary>
    private static IEnumerable<Node> InOrder(Node node, HashSet<Node> nodes, HashSet<Node> seen) => !nodes.Contains(node) || !seen.Add(node) ? []
        : node.Inputs.Select(static i => i?.Producer).OfType<Node>().SelectMany(p => InOrder(p, nodes, seen)).Append(node).ToArray();
}
