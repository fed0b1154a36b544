using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>A vector over its Euclidean length, which embeddings end in.</summary>
internal static class L2Normalization
{
    private static readonly ValuePattern Same = Any("x");

    public static Pattern Pattern { get; } = new("l2-normalization", "x over its Euclidean length along axes, which is at least epsilon where there is one",
        new("operator", Op("LpNormalization", Same).With("p", [2], otherwise: [2]).Take("axis", otherwise: [-1], capture: "axes")),
        new("decomposed", Op("Div", Same, Floored(Length))));

    private static ValuePattern Length => OneOf(
        Op("ReduceL2", Same).Take("axes", input: 1).With("keepdims", [1], otherwise: [1]),
        Op("Sqrt", Sum(Square(Same))));

    /// <summary>Kept from zero; exporters broadcast the result to the shape of x, too.</summary>
    private static ValuePattern Floored(ValuePattern length)
    {
        var floored = OneOf(
            length,
            Op("Clip", length).Take("min", input: 1, capture: "epsilon").With("max", [double.PositiveInfinity], input: 2, otherwise: [double.PositiveInfinity]),
            Op("Max", length, Number("epsilon")),
            Add(length, Number("epsilon")));
        return OneOf(floored, Op("Expand", floored).AndMore());
    }
}
