namespace ModelBuild.Onnx.Operators;

/// <summary>Updates written at indices along an axis, optionally combined with what is there.</summary>
internal sealed class ScatterElements : ScatterElementsOperator
{
    public override string Name => "ScatterElements";

    public override int FirstVersion => 11;
}
