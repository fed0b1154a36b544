using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>Small functions that patterns are made of, in all the ways in which they are written.</summary>
internal static class Idioms
{
    /// <summary>v + w.</summary>
    public static ValuePattern Add(ValuePattern v, ValuePattern w) => Op("Add", v, w);

    /// <summary>v * w.</summary>
    public static ValuePattern Mul(ValuePattern v, ValuePattern w) => Op("Mul", v, w);

    /// <summary>v + w, of which others may read the sum; older exporters write residual connections with the other operator.</summary>
    public static ValuePattern SharedSum(ValuePattern v, ValuePattern w) => OneOf(Op("Add", v, w).Shared(), Op("Sum", v, w).Shared());

    /// <summary>v times a number.</summary>
    public static ValuePattern Scaled(ValuePattern v, double factor) => OneOf(Mul(v, Number(factor)), Op("Div", v, Number(1 / factor)));

    /// <summary>v * w times a number, whatever is multiplied first.</summary>
    public static ValuePattern ScaledProduct(ValuePattern v, ValuePattern w, double factor) =>
        OneOf(Scaled(Mul(v, w), factor), Mul(Scaled(v, factor), w), Mul(v, Scaled(w, factor)));

    /// <summary>v * w * u, whatever is multiplied first.</summary>
    public static ValuePattern Product(ValuePattern v, ValuePattern w, ValuePattern u) => OneOf(Mul(Mul(v, w), u), Mul(Mul(v, u), w), Mul(v, Mul(w, u)));

    /// <summary>v squared.</summary>
    public static ValuePattern Square(ValuePattern v) => OneOf(Mul(v, v), Op("Pow", v, Number(2)));

    /// <summary>The mean along axes that are kept with size 1.</summary>
    public static ValuePattern Mean(ValuePattern v) => Op("ReduceMean", v).Take("axes", input: 1).With("keepdims", [1], otherwise: [1]);

    /// <summary>The sum along axes that are kept with size 1.</summary>
    public static ValuePattern Sum(ValuePattern v) => Op("ReduceSum", v).Take("axes", input: 1).With("keepdims", [1], otherwise: [1]);

    /// <summary>1 / sqrt(v).</summary>
    public static ValuePattern InverseRoot(ValuePattern v) =>
        OneOf(Op("Reciprocal", Op("Sqrt", v)), Op("Div", Number(1), Op("Sqrt", v)), Op("Pow", v, Number(-0.5)));

    /// <summary>v / sqrt(w).</summary>
    public static ValuePattern OverRoot(ValuePattern v, ValuePattern w) =>
        OneOf(Op("Div", v, Op("Sqrt", w)), Mul(v, InverseRoot(w)), Op("Div", v, Op("Pow", w, Number(0.5))));

    /// <summary>v, or v in another shape that is broadcast alike; the shape is for the form to check.</summary>
    public static ValuePattern View(ValuePattern v)
    {
        var once = OneOf(v, Op("Reshape", v).AndMore(), Op("Unsqueeze", v).AndMore());
        return OneOf(once, Op("Expand", once).AndMore());
    }

    /// <summary>v cut off at both ends.</summary>
    public static ValuePattern Clipped(ValuePattern v, double min, double max) => OneOf(
        Op("Clip", v).With("min", [min], input: 1).With("max", [max], input: 2),
        Op("Min", Op("Max", v, Number(min)), Number(max)),
        Op("Max", Op("Min", v, Number(max)), Number(min)));

    /// <summary>
    /// For functions of every element of <c>x</c>: whether the output has as many dimensions as <c>x</c>. Numbers may be written with more, which widens what
    /// they meet.
    /// </summary>
    public static bool IsElementwise(Matching match) => match.Type("x") is { HasRank: true } x && match.TypeOf(match.Output) is { HasRank: true } y
        && x.Rank == y.Rank;
}
