using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>Scaled dot product attention (Vaswani et al. 2017): softmax(q kᵀ * scale + mask) v, with the split into heads and their merging around it where
/// they are there.</summary>
internal static class AttentionPattern
{
    public static Pattern Pattern { get; } = new("attention",
        "softmax(q kᵀ * scale + mask) v: query, key and value of the model's width (multi-head), or one for each head (heads, core); mask, heads, "
            + "keyValueHeads, scale, causal (1 where the mask hides what comes later)",
        new("operator", Op("Attention", Any("query"), Any("key"), Any("value")).AndMore()),
        new("contrib", OneOf(
            Op(("com.microsoft", "MultiHeadAttention"), Any("query"), Any("key"), Any("value")).AndMore(),
            Op(("com.microsoft", "GroupQueryAttention"), Any("query"), Any("key"), Any("value")).AndMore(),
            Op(("com.microsoft", "Attention"), Any("input"), Any("weights")).AndMore())),
        new("multi-head", Merged(Attended(Split("query").As("q"), SplitTransposed("key").As("kT"), Split("value").As("v")), 0, 2, 1, 3), IsAttention),
        new("multi-head-batched", Merged(Attended(Folded("query").As("q"), FoldedTransposed("key").As("kT"), Folded("value").As("v")), 1, 0, 2), IsAttention),
        new("heads", Merged(Core, 0, 2, 1, 3), IsAttention),
        new("core", Core, IsAttention))
    {
        Replacements = [new("Attention", 23, ["query", "key", "value", "mask"]) { Accepts = IsStandard, Configure = Configure }],
    };

    private static ValuePattern Core => Attended(Any("q"), OneOf(Transposed(Any("k")).As("kT"), Any("kT")), Any("v"));

    private static ValuePattern Attended(ValuePattern q, ValuePattern transposedK, ValuePattern v)
    {
        var softmax = Op("Softmax", Masked(Scores(q, transposedK))).Take("axis", otherwise: [-1]).As("probabilities");
        // A row that is masked everywhere becomes NaN; exporters set it to zero.
        var safe = OneOf(softmax, Op("Where", Op("IsNaN", softmax), Number(0), softmax).As("safe"));
        return Op("MatMul", OneOf(safe, Op("Cast", safe).As("cast")), v);
    }

    /// <summary>q kᵀ, scaled before or after.</summary>
    private static ValuePattern Scores(ValuePattern q, ValuePattern transposedK) => OneOf(
        Mul(Op("MatMul", q, transposedK), Number("factor")),
        Op("Div", Op("MatMul", q, transposedK), Number("divisor")),
        Op("MatMul", Mul(q, Number("factor")), Mul(transposedK, Number("keyFactor"))),
        Op("MatMul", Op("Div", q, Number("divisor")), Op("Div", transposedK, Number("keyDivisor"))),
        Op("MatMul", Mul(q, Number("factor")), transposedK),
        Op("MatMul", Op("Div", q, Number("divisor")), transposedK),
        Op("MatMul", q, transposedK));

    private static ValuePattern Masked(ValuePattern scores) => OneOf(
        Add(scores, CausalMask.Pattern.As("mask")),
        Add(scores, Any("mask")),
        Op("Where", Any("keep"), scores, Number("fill")),
        Op("Where", Any("hide"), Number("fill"), scores),
        scores);

    /// <summary>(batch, places, width) as (batch, heads, places, size); or the transposition alone, where something else has split the width.</summary>
    private static ValuePattern Split(string name) => OneOf(
        Op("Transpose", Repeated(name, SplitWidth(name))).With("perm", [0, 2, 1, 3]),
        Op("Transpose", Repeated(name, Any(name))).With("perm", [0, 2, 1, 3]));

    /// <summary>The same as (batch, heads, size, places).</summary>
    private static ValuePattern SplitTransposed(string name) => OneOf(
        Op("Transpose", Repeated(name, SplitWidth(name))).With("perm", [0, 2, 3, 1]),
        Op("Transpose", Repeated(name, Any(name))).With("perm", [0, 2, 3, 1]),
        Op("Transpose", Split(name)).With("perm", [0, 1, 3, 2]));

    /// <summary>(places, batch, width) as (batch * heads, places, size).</summary>
    private static ValuePattern Folded(string name) => Op("Transpose", Op("Reshape", Any(name)).AndMore()).With("perm", [1, 0, 2]);

    private static ValuePattern FoldedTransposed(string name) => OneOf(
        Op("Transpose", Op("Reshape", Any(name)).AndMore()).With("perm", [1, 2, 0]),
        Op("Transpose", Folded(name)).With("perm", [0, 2, 1]));

    private static ValuePattern SplitWidth(string name) => Op("Reshape", Any(name)).AndMore()
        .Where(static (n, m) => m.TypeOf(n.Input(0)!) is { Rank: 3 } x && m.TypeOf(n.Output) is { Rank: 4 } heads
        && IsSame(x.Shape[0], heads.Shape[0]) && IsSame(x.Shape[1], heads.Shape[1])).As($"{name}Heads");

    /// <summary>Each head for several query heads (Ainslie et al. 2023).</summary>
    private static ValuePattern Repeated(string name, ValuePattern heads) => OneOf(
        Op("Reshape", Op("Expand", Op("Unsqueeze", heads).AndMore()).AndMore()).AndMore().As($"{name}Repeated"),
        heads);

    private static ValuePattern Transposed(ValuePattern k) => Op("Transpose", k).Where(static (n, _) => n.Ints("perm") is { Length: >= 2 } perm
        && perm[^2..].SequenceEqual([perm.Length - 1L, perm.Length - 2L])
            && perm[..^2].SequenceEqual(Enumerable.Range(0, perm.Length - 2).Select(static i => (long)i)));

    private static ValuePattern Merged(ValuePattern heads, params double[] order) => Op("Reshape", Op("Transpose", heads).With("perm", order)).AndMore()
        .Where(static (n, m) => m.TypeOf(n.Input(0)!) is { Rank: 3 } || m.TypeOf(n.Input(0)!) is { Rank: 4 } heads && m.TypeOf(n.Output) is { Rank: > 0 } merged
            && heads.Shape[2].IsConstant && heads.Shape[3].IsConstant && merged.Shape[^1].IsConstant
                && merged.Shape[^1].Value == heads.Shape[2].Value * heads.Shape[3].Value);

    private static bool IsSame(Dimension a, Dimension b) => !a.IsUnknown && a == b;

    private static bool IsAttention(Matching match)
    {
        // With constant factors it is a layer with softmax as its activation.
        if (match.Constant("q") is not null || match.Constant("kT") is not null || match.Constant("v") is not null || match.Type("q") is not { HasRank: true } q
            || match.Number("axis") is not { } axis || axis >= 0 && match.Type("probabilities") is { HasRank: true } p && axis != p.Rank - 1)
            return false;
        match.Add("scale", (match.Number("factor") ?? 1) * (match.Number("keyFactor")
            ?? 1) / ((match.Number("divisor") ?? 1) * (match.Number("keyDivisor") ?? 1)));
        if (q.Rank == 4 && q.Shape[1].IsConstant)
        {
            match.Add("heads", q.Shape[1].Value);
            // Repetition, where there is one, is seen at the values: they are not rotated.
            match.Add("keyValueHeads", match.Value("valueRepeated") is not null && match.Type("valueHeads") is { Rank: 4 } v && v.Shape[2].IsConstant
                ? v.Shape[2].Value : q.Shape[1].Value);
        }
        if (CausalMask.IsIn(match))
            match.Add("causal", 1);
        return true;
    }

    /// <summary>
    /// Whether the operator takes the match as it is: three values of the model's width, and a mask that is added. ONNX Runtime does not broadcast a mask along
    /// the places, as the operator's definition would have it.
    /// </summary>
    private static bool IsStandard(PatternMatch match) => match.Form == "multi-head" && match.Number("heads") is not null
        && new[] { "query", "key", "value" }.All(n => match.Type(n) is { Rank: 3 }) && match.OutputType is { Rank: 3 }
        && new[] { "keyRepeated", "valueRepeated", "keep", "hide", "safe", "cast" }.All(n => match.Value(n) is null)
        && (match.Value("mask") is null || match.Type("mask") is { Rank: 2 or 4, ElementType: ElementType.Float } type
            && IsSame(type.Shape[^2], match.Type("query")!.Shape[1]) && IsSame(type.Shape[^1], match.Type("key")!.Shape[1]));

    private static void Configure(Node node, PatternMatch match)
    {
        node.Attributes["q_num_heads"] = (long)match.Number("heads")!;
        node.Attributes["kv_num_heads"] = (long)match.Number("keyValueHeads")!;
        node.Attributes["scale"] = (float)match.Number("scale")!;
    }
}
