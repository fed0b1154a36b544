using System.Text;
using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>Nodes of which an axis keeps some indices only give the slices of the whole node's outputs.</summary>
public sealed class AxisCutTests(ITestOutputHelper output)
{
    /// <summary>Operators with a rule of which no case can be cut, with the reason.</summary>
    private static readonly Dictionary<string, string> NeverCut = new(StringComparer.Ordinal)
    {
        ["com.microsoft.DynamicQuantizeLSTM"] = "it has the rule of its family, but quantizes by the range of all elements: no axis stands apart",
        ["modelbuild.DynamicQuantizeGRU"] = "it has the rule of its family, but quantizes by the range of all elements: no axis stands apart",
        ["com.microsoft.MatMulNBits"] = "its weights are packed, several channels' to a byte or block",
    };

    [SkippableFact]
    public void What_is_cut_gives_the_slices_of_what_is_whole()
    {
        var (nodes, cuts) = (0, 0);
        var refusals = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        var done = new HashSet<string>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var c in OwnCases.All().Concat(NodeCases.Of(static (op, node, i) => op.Role(node, i) is InputRole.Parameter or InputRole.Indices)).Few())
        {
            nodes++;
            seen.Add(c.Node.QualifiedOpType);
            foreach (var axis in c.Axes().Links.Concat(c.Axes().Ties).SelectMany(static l => new[] { l.From.At, l.To.At }).Distinct())
                foreach (var kept in Kept(c, axis))
                {
                    var (refusal, difference) = Check(c, axis, kept);
                    if (refusal is not null)
                        refusals[$"{c.Node.QualifiedOpType}: {refusal}"] = refusals.GetValueOrDefault($"{c.Node.QualifiedOpType}: {refusal}") + 1;
                    else if (difference is not null)
                        wrong.Add($"{c.Name}: {c.Node.QualifiedOpType} with [{string.Join(',', kept)}] of {axis}: {difference}");
                    else
                    {
                        cuts++;
                        done.Add(c.Node.QualifiedOpType);
                    }
                }
        }
        var never = OperatorRegistry.Operators.Where(static o => AxisStatementTests.Overrides(o, nameof(Operator.Cut))).Select(AxisStatementTests.NameOf)
            .Where(o => seen.Contains(o) && !done.Contains(o)).ToArray();
        var text = new StringBuilder();
        text.AppendLine($"{nodes} nodes, {cuts} cuts of {done.Count} operators, {wrong.Count} wrong, {refusals.Values.Sum()} refused");
        text.AppendLine($"never cut: {string.Join(", ", never)}");
        foreach (var w in wrong)
            text.AppendLine(w);
        foreach (var (reason, count) in refusals)
            text.AppendLine($"refused {count,5}: {reason}");
        output.WriteLine(text.ToString());
        Assert.Empty(wrong);
        Assert.Equal(NeverCut.Keys.Order(StringComparer.Ordinal), never);
        Assert.True(cuts >= 5000, $"{cuts} cuts");
    }

    /// <summary>The first half; and without every other slice.</summary>
    private static IEnumerable<long[]> Kept(NodeCase c, NodeAxis axis)
    {
        var value = axis.IsOutput ? c.Node.Outputs[axis.Index] : c.Node.Inputs[axis.Index]!;
        if (c.Types.TypeOf(value) is not { HasRank: true } type || axis.Axis >= type.Rank
            || type.Shape[axis.Axis] is not { IsConstant: true, Value: > 1 and <= 64 and var n })
            return [];
        long[] all = [.. Enumerable.Range(0, (int)n).Select(static i => (long)i)];
        return n == 2 ? [[1]] : [all[..((int)n / 2)], [.. all.Where(static i => i % 2 == 0)]];
    }

    private static (string? Refusal, string? Difference) Check(NodeCase c, NodeAxis axis, long[] kept)
    {
        var model = c.Model.Clone();
        var node = model.Graph.Nodes[0];
        var cut = AxisCut.Of(node, ShapeInference.Prove(model, true), c.Opset, axis, kept);
        if (cut.Refusal is not null)
            return (cut.Refusal, null);
        // Slices that are summed over or read by other units must not matter.
        var tied = c.Axes().Ties.SelectMany(static t => new[] { t.From.At, t.To.At }).Where(a => !a.IsOutput && cut.Kept.ContainsKey(a)).ToHashSet();
        if (tied.Count > 0 && Enumerable.Range(0, node.Inputs.Count).Any(i => node.Inputs[i] is not null && c.Operator.Role(c.Node, i) == InputRole.ZeroPoint))
            return ("zero is not nothing where there are zero points", null);
        var whole = c.Inputs.ToDictionary();
        foreach (var a in tied)
            if (whole.GetValueOrDefault(c.Node.Inputs[a.Index]!.Name) is Tensor t)
                whole[c.Node.Inputs[a.Index]!.Name] = WithoutSlices(t, a.Axis, cut.Kept[a]);
        var expected = c.Run(whole);
        cut.Apply();
        var inputs = new Dictionary<string, object?>(whole);
        foreach (var (a, indices) in cut.Kept)
            if (!a.IsOutput && c.Inputs.ContainsKey(c.Node.Inputs[a.Index]!.Name) && node.Inputs[a.Index] is { Constant: null } input
                && inputs[input.Name] is Tensor t)
            {
                // Of a value that is read twice both inputs are in the list.
                if (node.Inputs.Take(a.Index).Any(i => ReferenceEquals(i, input)))
                    continue;
                inputs[input.Name] = AxisCut.Slice(t, a.Axis, indices);
                input.Type = ((Tensor)inputs[input.Name]!).Type;
            }
        try
        {
            var actual = new Interpreter(model).RunValues(inputs);
            for (var o = 0; o < expected.Length; o++)
                if (expected[o] is Tensor e)
                {
                    foreach (var (a, indices) in cut.Kept.Where(k => k.Key.IsOutput && k.Key.Index == o))
                        e = AxisCut.Slice(e, a.Axis, indices);
                    if (TestValue.Compare(e, actual[node.Outputs[o].Name], 1e-5, 1e-6) is { } difference)
                        return (null, $"output {o}: {difference}");
                }
            return (null, null);
        }
        catch (OnnxException e)
        {
            return (null, e.Message);
        }
    }

    private static Tensor WithoutSlices(Tensor t, int axis, long[] kept)
    {
        var inner = Indexing.Product(t.Shape.AsSpan(), axis + 1, t.Rank);
        var values = Numbers.Doubles(t);
        for (var i = 0; i < values.Length; i++)
            if (!kept.Contains(i / inner % t.Shape[axis]))
                values[i] = 0;
        return Numbers.Of(t.ElementType, t.Shape, values);
    }
}
