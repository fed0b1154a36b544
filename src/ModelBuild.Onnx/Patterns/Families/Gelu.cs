using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>The Gaussian error linear unit (Hendrycks and Gimpel 2016): x times the normal distribution function of x, or one of its two
/// approximations.</summary>
internal static class Gelu
{
    private const double Cubic = 0.044715;
    private static readonly double RootOfTwoOverPi = Math.Sqrt(2 / Math.PI);
    private static readonly ValuePattern Same = Any("x");

    public static Pattern Pattern { get; } =
        new("gelu", "Gaussian error linear unit of x; the form says whether it is exact (erf) or an approximation (tanh, sigmoid)", [.. Forms(Same)])
    {
        Replacements = [new("Gelu", 20, ["x"]) { Configure = static (node, match) => node.Attributes["approximate"] = match.Form == "tanh" ? "tanh" : "none" }],
    };

    /// <summary>The forms over a value that is captured as <c>x</c>.</summary>
    public static IEnumerable<PatternForm> Forms(ValuePattern x)
    {
        yield return new("operator", OneOf(Op("Gelu", x), Op(("com.microsoft", "Gelu"), x), Op(("com.microsoft", "FastGelu"), x)));
        yield return new("erf", ScaledProduct(x, Add(Op("Erf", Scaled(Same, Math.Sqrt(0.5))), Number(1)), 0.5), IsElementwise);
        yield return new("tanh", ScaledProduct(x, Add(Op("Tanh", TanhArgument), Number(1)), 0.5), IsElementwise);
        // Another function than the operator's.
        yield return new("sigmoid", Mul(x, Op("Sigmoid", Scaled(Same, 1.702))), IsElementwise) { IsExact = false };
    }

    /// <summary>sqrt(2/pi) * (x + 0.044715 x³).</summary>
    private static ValuePattern TanhArgument => OneOf(
        Scaled(Add(Same, CubicTerm), RootOfTwoOverPi),
        Product(Same, Number(RootOfTwoOverPi), Add(Scaled(Square(Same), Cubic), Number(1))));

    private static ValuePattern CubicTerm => OneOf(
        Scaled(OneOf(Op("Pow", Same, Number(3)), Mul(Same, Square(Same))), Cubic),
        Mul(Same, Scaled(Square(Same), Cubic)),
        Mul(Same, Mul(Same, Scaled(Same, Cubic))),
        Mul(Square(Same), Scaled(Same, Cubic)));
}
