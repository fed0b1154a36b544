namespace ModelBuild.Onnx.Operators;

/// <summary>1 where an element is larger than a threshold, else 0.</summary>
internal sealed class Binarizer : Operator
{
    public override string Domain => Domains.MachineLearning;

    public override string Name => "Binarizer";

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        double threshold = context.Node.Float("threshold");
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, Array.ConvertAll(Numbers.Doubles(x), v => v > threshold ? 1.0 : 0)));
    }
}
