namespace ModelBuild.Onnx.Operators;

/// <summary>The former name of ScatterElements.</summary>
internal sealed class Scatter : ScatterElementsOperator
{
    public override string Name => "Scatter";

    public override int FirstVersion => 9;

    public override int LastVersion => 10;
}
