using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Counts of n-grams of a pool in sequences of integers or strings, weighted where asked for.</summary>
internal sealed class TfIdfVectorizer : Operator
{
    public override string Name => "TfIdfVectorizer";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var width = Width(context.Node);
        context.Set(0, ElementType.Float, shape.IsDefault ? default : shape.Length == 1 ? [width] : [shape[0], width]);
    }

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) > 1)
            context.Link(0, 0, 0, 0);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var x = context.Input(0);
        var rows = x.Rank == 1 ? 1 : (int)x.Shape[0];
        var length = x.Rank == 0 ? 1 : (int)x.Shape[^1];
        var items = Items(x);
        var pool = node.Ints("pool_int64s") is { } integers ? Array.ConvertAll(integers, static v => v.ToString())
            : node.Attributes.GetValueOrDefault("pool_strings")?.Value is ImmutableArray<byte[]> strings
                ? [.. strings.Select(System.Text.Encoding.UTF8.GetString)]
            : throw context.Error("has no pool");
        var starts = node.Ints("ngram_counts") ?? throw context.Error("has no ngram_counts");
        var indexes = node.Ints("ngram_indexes") ?? throw context.Error("has no ngram_indexes");
        var (min, max, skips) = ((int)node.Int("min_gram_length"), (int)node.Int("max_gram_length"), (int)node.Int("max_skip_count"));
        // An n-gram as one text -> its place in the output.
        var grams = new Dictionary<string, long>();
        var number = 0;
        for (var n = 1; n <= starts.Length; n++)
        {
            var end = n < starts.Length ? (int)starts[n] : pool.Length;
            for (var at = (int)starts[n - 1]; at + n <= end; at += n, number++)
                if (n >= min && n <= max)
                    grams[Key(pool.Skip(at).Take(n))] = indexes[number];
        }
        var width = (int)Width(node);
        var result = new double[rows * width];
        for (var row = 0; row < rows; row++)
            for (var n = Math.Max(1, min); n <= max; n++)
                for (var skip = 0; skip <= (n == 1 ? 0 : skips); skip++)
                    for (var at = 0; at + (n - 1) * (skip + 1) < length; at++)
                        if (grams.TryGetValue(Key(Enumerable.Range(0, n).Select(i => items[row * length + at + i * (skip + 1)])), out var index))
                            result[row * width + index]++;
        var mode = node.String("mode");
        var weights = node.Floats("weights");
        for (var i = 0; i < result.Length && mode != "TF"; i++)
        {
            // Weights stand in the order of the pool.
            var weight = weights is null ? 1 : weights[Array.IndexOf(indexes, i % width) is >= 0 and var p ? p : 0];
            result[i] = (mode == "IDF" ? Math.Min(1, result[i]) : result[i]) * weight;
        }
        context.Set(0, Numbers.Of(ElementType.Float, x.Rank == 1 ? [width] : [rows, width], result));
    }

    private static string[] Items(Tensor x) => x.ElementType == ElementType.String ? x.Strings.ToArray()
        : Array.ConvertAll(Numbers.Integers(x), static v => v.ToString());

    private static string Key(IEnumerable<string> gram) => string.Join('\u0001', gram);

    private static long Width(Node node) => (node.Ints("ngram_indexes") ?? []).DefaultIfEmpty(-1).Max() + 1;
}
