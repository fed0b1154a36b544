using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>Softmax along one axis, and its logarithm.</summary>
internal static class SoftmaxPatterns
{
    private static readonly ValuePattern Same = Any("x");
    private static readonly ValuePattern Exponentials = Op("Exp", Op("Sub", Same, View(Largest).As("largest")));

    public static Pattern Softmax { get; } = new("softmax", "exp(x) / sum(exp(x)) along axis",
        new("operator", Op("Softmax", Same).Take("axis", otherwise: [-1])),
        new("shifted", Op("Div", Exponentials, View(Op("ReduceSum", Exponentials).Take("axes", input: 1)).As("sum")), IsAlongOneAxis))
    {
        Replacements = [new("Softmax", 13, ["x"]) { Configure = static (node, match) => node.Attributes["axis"] = (long)match.Number("axis")! }],
    };

    public static Pattern LogSoftmax { get; } = new("log-softmax", "The logarithm of softmax(x) along axis",
        new("operator", Op("LogSoftmax", Same).Take("axis", otherwise: [-1])),
        // Where the softmax underflows, its logarithm is -infinity; the operator's is not.
        new("log", Op("Log", Op("Softmax", Same).Take("axis", otherwise: [-1]))));

    private static ValuePattern Largest
    {
        get
        {
            var max = Op("ReduceMax", Same).Take("axes", input: 1);
            return OneOf(max, Op("Max", Number(double.NegativeInfinity), max));
        }
    }

    private static bool IsAlongOneAxis(Matching match)
    {
        if (match.Numbers("axes") is not [var axis] || !LayerNorm.IsReducedAlike(match, "largest") || !LayerNorm.IsReducedAlike(match, "sum"))
            return false;
        match.Add("axis", axis);
        return true;
    }
}
