using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>Root mean square normalization (Zhang and Sennrich 2019): x / sqrt(mean(x²) + epsilon) * scale, along the last axes.</summary>
internal static class RmsNorm
{
    private static readonly ValuePattern Same = Any("x");
    private static readonly ValuePattern Scale = Constant("scale");

    public static Pattern Pattern { get; } = new("rms-norm", "Root mean square normalization along the last axes of x: scale, epsilon, axis", [.. Forms(Same)])
    {
        Replacements = [new("RMSNormalization", 23, ["x", "scale"]) { Configure = NormalizedAxes.Configure }],
    };

    /// <summary>The forms of the normalization of a value that is captured as <c>x</c>.</summary>
    public static IEnumerable<PatternForm> Forms(ValuePattern x)
    {
        yield return new("operator", OneOf(
            Op("RMSNormalization", x, Any("scale")).Take("axis", otherwise: [-1]).Take("epsilon", otherwise: [1e-5f]),
            // ONNX Runtime has it in the standard domain, too, where no operator set defines it.
            Op("SimplifiedLayerNormalization", x, Any("scale")).Take("axis", otherwise: [-1]).Take("epsilon", otherwise: [1e-5f])));
        yield return new("decomposed", Product(x, InverseRoot(MeanSquare), Scale), IsNormalization);
        yield return new("divided", Mul(Op("Div", x, OneOf(Op("Sqrt", MeanSquare), Op("Pow", MeanSquare, Number(0.5)))), Scale), IsNormalization);
        // In half precision, computed in single.
        yield return new("cast", Mul(Op("Cast", Mul(x, InverseRoot(MeanSquare))), Scale), IsNormalization) { IsExact = false };
        yield return new("without-scale", OverRoot(x, MeanSquare), IsNormalization) { IsExact = false };
    }

    /// <summary>What is centred before is part of a layer normalization.</summary>
    private static bool IsNormalization(Matching match) =>
        !(match.Value("x")!.Producer is { Domain: "", OpType: "Sub" } sub && sub.Input(1)?.Producer is { Domain: "", OpType: "ReduceMean" })
            && NormalizedAxes.AreLast(match);

    private static ValuePattern MeanSquare => Add(Mean(Square(Same)), Number("epsilon"));
}
