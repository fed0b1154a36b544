using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A sum of products of tensors, written as an equation of index letters.</summary>
internal sealed class Einsum : Operator
{
    public override string Name => "Einsum";

    public override int FirstVersion => 12;

    public override void Infer(InferenceContext context)
    {
        var shapes = Enumerable.Range(0, context.InputCount).Select(context.Shape).ToArray();
        if (shapes.Any(static s => s.IsDefault))
        {
            context.Set(0, context.ElementType(0));
            return;
        }
        var (terms, result) = Parse(context.Node.String("equation"), [.. shapes.Select(static s => s.Length)]);
        var sizes = new Dictionary<char, Dimension>();
        for (var i = 0; i < shapes.Length; i++)
            for (var d = 0; d < shapes[i].Length; d++)
                // A dimension of 1 goes together with any.
                if (!sizes.TryGetValue(terms[i][d], out var known) || known.IsUnknown || known.IsConstant && known.Value == 1)
                    sizes[terms[i][d]] = shapes[i][d];
        context.Set(0, context.ElementType(0), [.. result.Select(c => sizes[c])]);
    }

    public override void Axes(AxesContext context)
    {
        var ranks = Enumerable.Range(0, context.InputCount).Select(context.Rank).ToArray();
        if (ranks.Any(static r => r < 0))
            return;
        var (terms, result) = Parse(context.Node.String("equation"), ranks);
        var summed = new Dictionary<char, (int Input, int Axis)>();
        for (var i = 0; i < terms.Length; i++)
            for (var d = 0; d < terms[i].Length; d++)
                if (result.IndexOf(terms[i][d]) is >= 0 and var to)
                    context.BroadcastAxis(i, d, 0, to);
                else if (context.Size(i, d) == 1)
                    continue;
                else if (summed.TryGetValue(terms[i][d], out var other))
                    context.Contract(other.Input, other.Axis, i, d);
                else
                    summed[terms[i][d]] = (i, d);
        context.Rest(AxisKind.New);
    }

    public override string? Cut(CutContext context) => null;

    public override Work Work(WorkContext context)
    {
        var shapes = Enumerable.Range(0, context.Node.Inputs.Count).Select(context.Shape).ToArray();
        if (shapes.Any(static s => s is null))
            return context.Work();
        var (terms, _) = Parse(context.Node.String("equation"), [.. shapes.Select(static s => s!.Length)]);
        var sizes = new Dictionary<char, double>();
        for (var i = 0; i < terms.Length; i++)
            for (var d = 0; d < terms[i].Length; d++)
                sizes[terms[i][d]] = Math.Max(sizes.GetValueOrDefault(terms[i][d], 1), shapes[i]![d]);
        // One product of all inputs for every combination of indices.
        return context.Work(sizes.Values.Aggregate((double)Math.Max(0, terms.Length - 1), static (a, b) => a * b));
    }

    public override void Execute(ExecutionContext context)
    {
        var inputs = Enumerable.Range(0, context.InputCount).Select(context.Input).ToArray();
        var (terms, result) = Parse(context.Node.String("equation"), [.. inputs.Select(static t => t.Rank)]);
        var sizes = new Dictionary<char, long>();
        for (var i = 0; i < inputs.Length; i++)
            for (var d = 0; d < terms[i].Length; d++)
            {
                var size = inputs[i].Shape[d];
                if (!sizes.TryGetValue(terms[i][d], out var known) || known == 1)
                    sizes[terms[i][d]] = size;
                else
                    context.Require(size == known || size == 1, $"the index '{terms[i][d]}' stands for {known} and {size}");
            }
        // The letters of the result outermost, those that are summed innermost.
        var letters = result + string.Concat(sizes.Keys.Where(c => !result.Contains(c)).Order());
        long[] space = [.. letters.Select(c => sizes[c])];
        ImmutableArray<long> shape = [.. result.Select(c => sizes[c])];
        var positions = inputs.Select((t, i) =>
        {
            var own = Indexing.Strides(t.Shape.AsSpan());
            var strides = new long[letters.Length];
            for (var d = 0; d < terms[i].Length; d++)
                strides[letters.IndexOf(terms[i][d])] += t.Shape[d] == 1 ? 0 : own[d];
            return Indexing.Positions(space, strides);
        }).ToArray();
        var count = Indexing.Length(shape);
        var inner = count == 0 ? 0 : Indexing.Length(space) / count;
        var type = inputs[0].ElementType;
        var values = inputs.Select(Numbers.Doubles).ToArray();
        var sums = new double[count];
        for (var i = 0; i < count; i++)
            for (var k = i * inner; k < (i + 1) * inner; k++)
            {
                double product = 1;
                for (var t = 0; t < values.Length; t++)
                    product *= values[t][positions[t][k]];
                sums[i] += product;
            }
        context.Set(0, Numbers.Of(type, shape, sums));
    }

    /// <summary>The index letters of every dimension of every input, and of the result. Dimensions of an ellipsis get letters that nobody can write.</summary>
    private static (string[] Terms, string Result) Parse(string equation, int[] ranks)
    {
        equation = equation.Replace(" ", "", StringComparison.Ordinal);
        var sides = equation.Split("->");
        var terms = sides[0].Split(',');
        if (terms.Length != ranks.Length || sides.Length > 2)
            throw new InvalidOperationException($"the equation '{equation}' does not fit {ranks.Length} inputs");
        var widest = terms.Select((t, i) => t.Contains("...") ? ranks[i] - (t.Length - 3) : 0).Max();
        if (widest < 0)
            throw new InvalidOperationException($"the equation '{equation}' does not fit the inputs");
        var spread = string.Concat(Enumerable.Range(0, widest).Select(static i => (char)('\u0100' + i)));
        for (var i = 0; i < terms.Length; i++)
        {
            if (terms[i].Contains("..."))
                terms[i] = terms[i].Replace("...", spread[(widest - (ranks[i] - (terms[i].Length - 3)))..]);
            if (terms[i].Length != ranks[i])
                throw new InvalidOperationException($"the equation '{equation}' does not fit input {i} of {ranks[i]} dimensions");
        }
        // Without a right side: the ellipsis, then the letters that occur once.
        var result = sides.Length == 2 ? sides[1].Replace("...", spread)
            : spread + string.Concat(string.Concat(terms).GroupBy(static c => c).Where(g => g.Count() == 1 && !spread.Contains(g.Key)).Select(static g => g.Key)
                .Order());
        return (terms, result);
    }
}
