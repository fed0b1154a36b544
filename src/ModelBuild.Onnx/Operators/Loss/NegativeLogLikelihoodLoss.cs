namespace ModelBuild.Onnx.Operators;

/// <summary>Negative log likelihood of class indices under given logarithms of probabilities.</summary>
internal sealed class NegativeLogLikelihoodLoss : Operator
{
    public override string Name => "NegativeLogLikelihoodLoss";

    public override int FirstVersion => 12;

    public override void Infer(InferenceContext context) => LossReduction.Infer(context);

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Indices, 2 => InputRole.Weights, _ => InputRole.Activation };

    public override void Axes(AxesContext context) => LossReduction.Axes(context);

    public override string? Cut(CutContext context) => LossReduction.Cut(context);

    public override void Execute(ExecutionContext context) => context.Set(0, LossReduction.Of(context, Numbers.Doubles(context.Input(0)), context.Input(0)));
}
