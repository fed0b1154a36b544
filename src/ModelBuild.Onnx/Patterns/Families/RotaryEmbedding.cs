using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>Rotary position embedding (Su et al. 2021): pairs of elements along the last axis, rotated by angles that depend on the place.</summary>
internal static class RotaryEmbeddingPattern
{
    private static readonly ValuePattern Cos = Any("cos");
    private static readonly ValuePattern Sin = Any("sin");

    public static Pattern Pattern { get; } =
        new("rotary-embedding", "Pairs of elements of x, first and second halves or neighbours (interleaved), rotated by angles with cosine cos and sine sin",
        new("operator", Op("RotaryEmbedding", Any("x"), Cos, Sin).AndMore()),
        new("contrib", Op(("com.microsoft", "RotaryEmbedding"), Any("x"), Any("positions"), Cos, Sin)),
        new("rotate-half", Add(Mul(Any("x"), Cos), Mul(Op("Concat", Op("Neg", Second), First).With("axis", [-1]), Sin)), AreHalves),
        new("halves", Op("Concat", RotatedFirst(First, Second), RotatedSecond(First, Second)).With("axis", [-1]), AreHalves),
        new("interleaved", OneOf(Op("Reshape", Neighbours).AndMore(), Neighbours), AreNeighbours));

    private static ValuePattern First => OneOf(
        Op("Split", Any("x")).AndMore().Take("axis", otherwise: [0]),
        Op("Slice", Any("x")).Take("starts", 1, capture: "start").Take("ends", 2, capture: "middle").Take("axes", 3).With("steps", [1], 4, otherwise: [1]))
            .As("first");

    private static ValuePattern Second => OneOf(
        Op("Split", Any("x")).AndMore().Take("axis", otherwise: [0]).At(1),
        Op("Slice", Any("x")).Take("starts", 1, capture: "middle").Take("ends", 2, capture: "end").Take("axes", 3).With("steps", [1], 4, otherwise: [1]))
            .As("second");

    private static ValuePattern Neighbours
    {
        get
        {
            // One of each pair: picked along a last axis of two, or every second one.
            ValuePattern Pick(double index) => OneOf(
                Op("Gather", Any("pairs"), Number(index)).Take("axis", otherwise: [0]),
                Op("Slice", Any("pairs")).With("starts", [index], 1).Take("ends", 2, capture: $"end{index}").Take("axes", 3).With("steps", [2], 4))
                    .As($"picked{index}");
            ValuePattern Column(ValuePattern v) => Op("Unsqueeze", v).With("axes", [-1], 1);
            return Op("Concat", Column(RotatedFirst(Pick(0), Pick(1))), Column(RotatedSecond(Pick(0), Pick(1)))).With("axis", [-1]);
        }
    }

    private static ValuePattern RotatedFirst(ValuePattern first, ValuePattern second) => Op("Sub", Mul(first, Cos), Mul(second, Sin));

    private static ValuePattern RotatedSecond(ValuePattern first, ValuePattern second) => Add(Mul(second, Cos), Mul(first, Sin));

    private static bool AreHalves(Matching match)
    {
        if (match.Type("x") is not { Rank: > 0 } x || match.Type("first") is not { Rank: > 0 } first || match.Type("second") is not { Rank: > 0 } second
            || !x.Shape[^1].IsConstant || !first.Shape[^1].IsConstant || first.Shape[^1] != second.Shape[^1] || 2 * first.Shape[^1].Value != x.Shape[^1].Value)
            return false;
        return match.Numbers("start") is null or [0];
    }

    private static bool AreNeighbours(Matching match)
    {
        if (match.Type("pairs") is not { Rank: > 1 } pairs || match.Type("picked0") is not { Rank: > 0 } picked)
            return false;
        var last = pairs.Shape[^1];
        // Either an axis of two is gone, or half of the last axis is left.
        return last.IsConstant && (picked.Rank == pairs.Rank - 1 ? last.Value == 2 && match.Number("axis") is { } axis && (axis == -1 || axis == pairs.Rank - 1)
            : picked.Shape[^1].IsConstant && 2 * picked.Shape[^1].Value == last.Value);
    }
}
