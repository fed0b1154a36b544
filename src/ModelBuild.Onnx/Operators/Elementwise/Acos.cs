namespace ModelBuild.Onnx.Operators;

/// <summary>Arc cosine.</summary>
internal sealed class Acos : UnaryOperator
{
    public override string Name => "Acos";

    protected override Func<double, double> Function(Node node) => Math.Acos;
}
