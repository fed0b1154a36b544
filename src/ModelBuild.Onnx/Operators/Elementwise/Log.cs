namespace ModelBuild.Onnx.Operators;

/// <summary>Natural logarithm.</summary>
internal sealed class Log : UnaryOperator
{
    public override string Name => "Log";

    protected override Func<double, double> Function(Node node) => Math.Log;
}
