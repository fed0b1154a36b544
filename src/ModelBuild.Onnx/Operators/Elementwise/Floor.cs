namespace ModelBuild.Onnx.Operators;

/// <summary>Rounds down to an integer.</summary>
internal sealed class Floor : UnaryOperator
{
    public override string Name => "Floor";

    protected override Func<double, double> Function(Node node) => Math.Floor;
}
