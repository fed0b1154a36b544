using System.Text;
using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>What operators state of their axes, against what the interpreter computes: one slice of an input is changed at a time.</summary>
public sealed class AxisStatementTests(ITestOutputHelper output)
{
    private const int MaxIndices = 4;
    private const int MaxElements = 1 << 16;

    /// <summary>Operators without a statement, by name: values that are no tensors have no axes, and branches are graphs of their own.</summary>
    private static readonly string[] Unstated =
    [
        "ConcatFromSequence", "If", "Optional", "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceMap",
        "SplitToSequence",
    ];

    /// <summary>Links whose slices never change one for one in any case, with the reason.</summary>
    private static readonly Dictionary<string, string> Loose = new(StringComparer.Ordinal)
    {
        ["Dropout 0->1 same"] = "outside training the mask keeps everything, whatever the input; its shape is the input's",
    };

    [Fact]
    public void Every_operator_but_those_named_here_has_a_statement()
    {
        Assert.Equal(Unstated, OperatorRegistry.Operators.Where(static o => !Overrides(o, nameof(Operator.Axes))).Select(NameOf));
    }

    /// <summary>With parameters that are constants, as models have them.</summary>
    [SkippableFact]
    public void Only_slices_that_are_named_change_and_every_named_one_does()
    {
        var sweep = new Sweep(NodeCases.Of(static (op, node, i) => op.Role(node, i) == InputRole.Parameter).Concat(OwnCases.All()));
        output.WriteLine(sweep.ToString());
        Assert.Empty(sweep.Wrong);
        Assert.Equal(Loose.Keys.Order(StringComparer.Ordinal), sweep.NeverExact);
        // What is inferred only cannot be tried.
        var tried = sweep.Linked.Concat(sweep.Unlinked);
        Assert.Empty(OperatorRegistry.Operators.Where(static o => o.CanExecute && Overrides(o, nameof(Operator.Axes))).Select(NameOf).Except(tried));
        Assert.True(sweep.Nodes >= 3500 && sweep.Perturbations >= 80000, $"{sweep.Nodes} nodes, {sweep.Perturbations} changes");
    }

    /// <summary>With indices that are constants, which say which slices are taken; and with parameters that only a run tells.</summary>
    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_slices_that_are_named_change_whatever_is_known(bool all)
    {
        var nodes = NodeCases.Of((op, node, i) => all && op.Role(node, i) is InputRole.Parameter or InputRole.Indices);
        bool Concerns(InputRole role) => role == InputRole.Indices || !all && role == InputRole.Parameter;
        var sweep = new Sweep(nodes.Where(n => n.Node.Inputs.Where((_, i) => Concerns(n.Operator.Role(n.Node, i))).Any()));
        output.WriteLine(sweep.ToString());
        Assert.Empty(sweep.Wrong);
        Assert.True(sweep.Nodes >= 100);
    }

    internal static string NameOf(Operator o) => o.Domain.Length > 0 ? $"{o.Domain}.{o.Name}" : o.Name;

    /// <summary>Sizes have names, each its own, when the statement is made; it is held against the sizes of the case.</summary>
    [SkippableFact]
    public void Only_slices_that_are_named_change_where_sizes_have_names()
    {
        var sweep = new Sweep(NodeCases.Of(static (op, node, i) => op.Role(node, i) == InputRole.Parameter, true).Few(25));
        output.WriteLine(sweep.ToString());
        Assert.Empty(sweep.Wrong);
        Assert.True(sweep.Nodes >= 1500, $"{sweep.Nodes} nodes");
    }

    internal static bool Overrides(Operator op, string method) => op.GetType().GetMethod(method)!.DeclaringType != typeof(Operator);

    private sealed class Sweep
    {
        private readonly Dictionary<string, bool> _exact = new(StringComparer.Ordinal);
        private readonly Random _random = new(5);

        public Sweep(IEnumerable<NodeCase> nodes)
        {
            foreach (var node in nodes)
            {
                Nodes++;
                Visit(node);
            }
        }

        public int Nodes { get; private set; }

        public int Perturbations { get; private set; }

        public int Refused { get; private set; }

        public int Compared { get; private set; }

        /// <summary>Operators of which a link was tried.</summary>
        public IEnumerable<string> Linked => _exact.Keys.Select(static k => k.Split(' ')[0]).Distinct();

        /// <summary>Operators of nodes that have no links: nothing can be wrong.</summary>
        public HashSet<string> Unlinked { get; } = [];

        public SortedSet<string> Wrong { get; } = new(StringComparer.Ordinal);

        public IReadOnlyList<string> NeverExact => [.. _exact.Where(static p => !p.Value).Select(static p => p.Key).Order(StringComparer.Ordinal)];

        public override string ToString()
        {
            var text = new StringBuilder();
            text.AppendLine($"{Nodes} nodes, {Perturbations} changes of a slice ({Refused} refused), {Compared} axes of outputs compared");
            text.AppendLine($"{_exact.Count} forms of links");
            foreach (var wrong in Wrong)
                text.AppendLine(wrong);
            foreach (var key in NeverExact)
                text.AppendLine($"never one for one: {key}");
            return text.ToString();
        }

        private void Visit(NodeCase c)
        {
            var map = c.Axes();
            if (map.Links.IsEmpty)
            {
                Unlinked.Add(c.Node.QualifiedOpType);
                return;
            }
            var before = c.Run();
            for (var i = 0; i < c.Node.Inputs.Count; i++)
            {
                if (c.Node.Inputs[i] is not { } value || !c.Inputs.TryGetValue(value.Name, out var data)
                    || data is not Tensor { Length: > 0 and <= MaxElements } tensor
                    || c.Node.Inputs.Count(v => ReferenceEquals(v, value)) > 1 || c.Operator.Role(c.Node, i) == InputRole.Parameter)
                    continue;
                for (var axis = 0; axis < tensor.Rank; axis++)
                    foreach (var index in Indices(tensor.Shape[axis]))
                        for (var kind = 0; kind < 3; kind++)
                            Change(c, map, before, i, NodeAxis.OfInput(i, axis), index, kind, tensor);
            }
        }

        private static IEnumerable<long> Indices(long length) => length <= MaxIndices ? Enumerable.Range(0, (int)length).Select(static i => (long)i)
            : [0, 1, length / 2, length - 1];

        private void Change(NodeCase c, AxisMap map, object?[] before, int input, NodeAxis axis, long index, int kind, Tensor tensor)
        {
            if (!map.Links.Any(l => l.From.At == axis))
                return;
            Perturbations++;
            object?[] after;
            try
            {
                var changedInput = Perturb(tensor, axis.Axis, index, kind, c.Operator.Role(c.Node, input) == InputRole.Indices);
                after = c.Run(new Dictionary<string, object?>(c.Inputs) { [c.Node.Inputs[input]!.Name] = changedInput });
            }
            catch (OnnxException)
            {
                Refused++;
                return;
            }
            for (var o = 0; o < before.Length; o++)
            {
                if (before[o] is not Tensor x || after[o] is not Tensor y || !x.Shape.SequenceEqual(y.Shape))
                    continue;
                var changed = Differences(x, y);
                for (var b = 0; b < x.Rank; b++)
                {
                    var to = NodeAxis.OfOutput(o, b);
                    if (map.ReadBy(axis, index, to, x.Shape[b]) is not { } named)
                        continue;
                    Compared++;
                    var slices = Slices(changed, x, b);
                    if (slices.Except(named).Any())
                        Wrong.Add($"{c.Name}: {c.Node.QualifiedOpType} slice {index} of {axis} {tensor} changes [{string.Join(',', slices)}] of {to} {x}, "
                            + $"not only [{string.Join(',', named)}]");
                    foreach (var link in map.Links.Where(l => l.From.At == axis && l.To.At == to))
                    {
                        var key = $"{c.Node.QualifiedOpType} {input}->{o} {Form(link)}";
                        _exact[key] = _exact.GetValueOrDefault(key) || named.Count > 0 && slices.Count == named.Count;
                    }
                }
            }
        }

        private static string Form(AxisLink link) => link.IsPlain ? "same" : $"{End(link.From)}:{End(link.To)}";

        private static string End(AxisEnd end)
        {
            var form = (end.Inner == 1 ? "" : "inner") + (end.Offset == 0 ? "" : "offset") + (end.Outer == 1 ? "" : "outer") + (end.IsDescending ? "down" : "");
            return form.Length > 0 ? form : "plain";
        }

        private Tensor Perturb(Tensor tensor, int axis, long index, int kind, bool isIndex)
        {
            var inner = Indexing.Product(tensor.Shape.AsSpan(), axis + 1, tensor.Rank);
            bool Inside(int at) => at / inner % tensor.Shape[axis] == index;
            if (tensor.ElementType == ElementType.String)
            {
                var strings = tensor.Strings.ToArray();
                return new(tensor.Shape, [.. strings.Select((s, i) => !Inside(i) ? s
                    : kind switch { 0 => s + "x", 1 => "", _ => strings[_random.Next(strings.Length)] })]);
            }
            if (ElementTypes.IsFloat(tensor.ElementType))
            {
                var values = Numbers.Doubles(tensor);
                var scale = values.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(1).Max();
                for (var i = 0; i < values.Length; i++)
                    if (Inside(i))
                        values[i] = kind switch
                        {
                            0 => (_random.NextDouble() * 2 - 1) * 3 * (scale + 1),
                            1 => values[i] * 1.25 + 0.5,
                            _ => values[_random.Next(values.Length)],
                        };
                return Numbers.Of(tensor.ElementType, tensor.Shape, values);
            }
            var integers = Numbers.Integers(tensor);
            var (min, max) = (integers.Min(), integers.Max());
            for (var i = 0; i < integers.Length; i++)
                if (Inside(i))
                    integers[i] = tensor.ElementType == ElementType.Bool ? 1 - integers[i] : kind switch
                    {
                        0 => min + _random.NextInt64(Math.Max(1, max - min + 1)),
                        1 => integers[i] == max && isIndex ? min : integers[i] + 1,
                        _ => integers[_random.Next(integers.Length)],
                    };
            return Numbers.Of(tensor.ElementType, tensor.Shape, integers);
        }

        private static bool[] Differences(Tensor x, Tensor y)
        {
            var result = new bool[x.Length];
            if (x.ElementType == ElementType.String)
                for (var i = 0; i < result.Length; i++)
                    result[i] = x.Strings[i] != y.Strings[i];
            else if (ElementTypes.BitsOf(x.ElementType) < 8)
                result = [.. Numbers.Patterns(x).Zip(Numbers.Patterns(y), static (a, b) => a != b)];
            else
            {
                var size = ElementTypes.BitsOf(x.ElementType) / 8;
                var a = x.Bytes.Span;
                var b = y.Bytes.Span;
                for (var i = 0; i < result.Length; i++)
                    result[i] = !a.Slice(i * size, size).SequenceEqual(b.Slice(i * size, size));
            }
            return result;
        }

        private static SortedSet<long> Slices(bool[] changed, Tensor t, int axis)
        {
            var inner = Indexing.Product(t.Shape.AsSpan(), axis + 1, t.Rank);
            var slices = new SortedSet<long>();
            for (var i = 0; i < changed.Length; i++)
                if (changed[i])
                    slices.Add(i / inner % t.Shape[axis]);
            return slices;
        }
    }
}
