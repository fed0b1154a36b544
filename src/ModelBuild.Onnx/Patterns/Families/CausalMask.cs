using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>A mask that lets a place see itself and what came before: zero there, a large negative number elsewhere. Masks are shared by layers and stay
/// outside of a match.</summary>
internal static class CausalMask
{
    // What is masked must not come through softmax in single precision.
    private const double Hidden = -1e4;

    /// <summary>Masks that are computed from the number of places.</summary>
    public static ValuePattern Pattern { get; } = OneOf(
        Op("Mul", Op("Cast", IsLater).Outside(), Number("fill")).Outside(),
        Op("Where", IsLater, Number("fill"), Number(0)).Outside(),
        Op("Where", Op("Equal", Op("Trilu", Any("causal")).AndMore().With("upper", [0], otherwise: [1]).Outside(), Number(0)).Outside(), Number("fill"),
            Number(0)).Outside(),
        Op("Trilu", Any("causal"), Number(1)).With("upper", [1], otherwise: [1]).Outside());

    /// <summary>Whether the mask of a match is such a one, computed or constant.</summary>
    public static bool IsIn(Matching match) => match.Value("causal") is not null || match.Constant("mask") is { } mask && IsTriangular(mask);

    /// <summary>Row less than column.</summary>
    private static ValuePattern IsLater => Op("Less", Place(1), Place(0)).Outside();

    private static ValuePattern Place(double axis) => Op("Unsqueeze", Op("Range", Number(0), Any("causal"), Number(1)).Outside()).With("axes", [axis], input: 1)
        .Outside();

    private static bool IsTriangular(Tensor mask)
    {
        if (mask.Rank < 2 || mask.Length > 1 << 22 || !ElementTypes.IsFloat(mask.ElementType) || mask.Shape[^1] != mask.Shape[^2] || mask.Shape[^1] < 2)
            return false;
        var (values, size) = (Numbers.Doubles(mask), (int)mask.Shape[^1]);
        for (var i = 0; i < values.Length; i++)
            if (i % size > i / size % size ? values[i] > Hidden : values[i] != 0)
                return false;
        return true;
    }
}
