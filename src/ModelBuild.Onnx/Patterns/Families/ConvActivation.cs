using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>A convolution whose output goes through an activation alone, so that one kernel can do both. The form names the activation.</summary>
internal static class ConvActivation
{
    private static readonly OperatorValue Conv = Op("Conv", Any("input"), Any("weights")).AndMore();

    public static Pattern Pattern { get; } = new("conv-activation", "An activation of x, the convolution of input with weights; the form names the activation",
        [.. Activated(Conv.As("x"))]);

    public static Pattern ResidualPattern { get; } = new("conv-add-activation",
        "An activation of x, the convolution of input with weights plus a residual of the same shape; the form names the activation",
        [.. Activated(OneOf(Op("Add", Conv.As("conv"), Any("residual")), Op("Sum", Conv.As("conv"), Any("residual"))).As("x"))
            .Select(static f => f with { Check = m => IsResidual(m) && f.Check?.Invoke(m) != false })]);

    private static IEnumerable<PatternForm> Activated(ValuePattern x) =>
    [
        new("relu", Op("Relu", x)),
        new("clip", Op("Clip", x).Take("min", input: 1, otherwise: [double.NegativeInfinity]).Take("max", input: 2, otherwise: [double.PositiveInfinity])),
        new("leaky-relu", Op("LeakyRelu", x).Take("alpha", otherwise: [0.01f])),
        new("sigmoid", Op("Sigmoid", x)),
        new("tanh", Op("Tanh", x)),
        new("elu", Op("Elu", x).Take("alpha", otherwise: [1])),
        .. Named("hard-sigmoid", Activations.HardSigmoidForms(x)),
        .. Named("hard-swish", Activations.HardSwishForms(x)),
        .. Named("swish", Activations.SwishForms(x)),
        .. Named("softplus", Activations.SoftplusForms(x)),
        .. Named("mish", Activations.MishForms(x)),
        .. Named("gelu", Gelu.Forms(x)),
    ];

    private static IEnumerable<PatternForm> Named(string name, IEnumerable<PatternForm> forms) => forms.Select(f => f with { Name = name });

    private static bool IsResidual(Matching match) => match.Type("conv") is { HasRank: true } a && match.Type("residual") is { HasRank: true } b
        && match.Constant("residual") is null
        && a.Shape.AsSpan().SequenceEqual(b.Shape.AsSpan());
}
