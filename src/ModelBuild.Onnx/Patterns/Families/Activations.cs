using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>Activations that exporters write as several nodes, for want of an operator in the operator set that they aim at.</summary>
internal static class Activations
{
    private static readonly ValuePattern Same = Any("x");

    /// <summary>min(max(x / 6 + 1/2, 0), 1).</summary>
    public static Pattern HardSigmoid { get; } = new("hard-sigmoid", "min(max(x / 6 + 1/2, 0), 1)", [.. HardSigmoidForms(Same)])
    {
        Replacements = [new("HardSigmoid", 6, ["x"]) { Configure = static (node, _) => (node.Attributes["alpha"], node.Attributes["beta"]) = (1 / 6f, 0.5f) }],
    };

    /// <summary>x * hardSigmoid(x) (Howard et al. 2019, MobileNetV3).</summary>
    public static Pattern HardSwish { get; } = new("hard-swish", "x * min(max(x / 6 + 1/2, 0), 1)", [.. HardSwishForms(Same)])
    {
        // Half of the nodes, and of the time, also for operator sets without the operator.
        Replacements = [new("HardSwish", 14, ["x"]),
            new("Mul", 7, ["x", "x"]) { Accepts = static m => m.Form != "hard-sigmoid", Configure = GateByHardSigmoid }],
    };

    /// <summary>x * sigmoid(x), also named SiLU (Elfwing et al. 2017; Ramachandran et al. 2017).</summary>
    public static Pattern Swish { get; } = new("swish", "x * sigmoid(x), also named SiLU", [.. SwishForms(Same)]);

    /// <summary>log(1 + exp(x)).</summary>
    public static Pattern Softplus { get; } = new("softplus", "log(1 + exp(x))", [.. SoftplusForms(Same)]);

    /// <summary>x * tanh(softplus(x)) (Misra 2019).</summary>
    public static Pattern Mish { get; } = new("mish", "x * tanh(log(1 + exp(x)))", [.. MishForms(Same)])
    {
        Replacements = [new("Mish", 18, ["x"])],
    };

    public static IEnumerable<PatternForm> HardSigmoidForms(ValuePattern x)
    {
        yield return new("operator", HardSigmoidOperator(x));
        yield return new("clip-6", Scaled(Clipped(Add(x, Number(3)), 0, 6), 1.0 / 6), IsElementwise);
        yield return new("clip-1", Clipped(Add(Scaled(x, 1.0 / 6), Number(0.5)), 0, 1), IsElementwise);
    }

    public static IEnumerable<PatternForm> HardSwishForms(ValuePattern x)
    {
        yield return new("operator", Op("HardSwish", x));
        yield return new("hard-sigmoid", Mul(x, HardSigmoidOperator(Same)), IsElementwise);
        yield return new("clip-6", ScaledProduct(x, Clipped(Add(Same, Number(3)), 0, 6), 1.0 / 6), IsElementwise);
        yield return new("clip-1", Mul(x, Clipped(Add(Scaled(Same, 1.0 / 6), Number(0.5)), 0, 1)), IsElementwise);
    }

    public static IEnumerable<PatternForm> SwishForms(ValuePattern x)
    {
        yield return new("operator", Op("Swish", x).With("alpha", [1], otherwise: [1]));
        yield return new("sigmoid", Mul(x, Op("Sigmoid", Same)), IsElementwise);
    }

    public static IEnumerable<PatternForm> SoftplusForms(ValuePattern x)
    {
        yield return new("operator", Op("Softplus", x));
        yield return new("log-exp", Op("Log", Add(Op("Exp", x), Number(1))), IsElementwise);
    }

    public static IEnumerable<PatternForm> MishForms(ValuePattern x)
    {
        yield return new("operator", Op("Mish", x));
        yield return new("softplus", Mul(x, Op("Tanh", Op("Softplus", Same))), IsElementwise);
        // exp(x) overflows where the operator's softplus does not.
        yield return new("log-exp", Mul(x, Op("Tanh", Op("Log", Add(Op("Exp", Same), Number(1))))), IsElementwise) { IsExact = false };
    }

    private static void GateByHardSigmoid(Node product, PatternMatch match)
    {
        var gate = product.Graph.AddNode("HardSigmoid", [product.Input(1)], [$"{match.Output.Name}/gate"], before: product);
        (gate.Attributes["alpha"], gate.Attributes["beta"]) = (1 / 6f, 0.5f);
        gate.Sources = product.Sources;
        gate.Output.Type = product.Input(1)!.Type;
        product.SetInput(1, gate.Output);
    }

    private static ValuePattern HardSigmoidOperator(ValuePattern x) => Op("HardSigmoid", x).With("alpha", [1.0 / 6], otherwise: [0.2f])
        .With("beta", [0.5], otherwise: [0.5]);
}
