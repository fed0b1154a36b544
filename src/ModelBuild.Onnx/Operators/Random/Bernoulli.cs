namespace ModelBuild.Onnx.Operators;

/// <summary>Zeros and ones; the input holds the probabilities of ones.</summary>
internal sealed class Bernoulli : RandomLikeOperator
{
    public override string Name => "Bernoulli";

    public override int FirstVersion => 15;

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;
}
