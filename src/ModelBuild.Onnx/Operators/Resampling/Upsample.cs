namespace ModelBuild.Onnx.Operators;

/// <summary>Resize by scales, as it was up to operator set 9.</summary>
internal sealed class Upsample : ResizeOperator
{
    public override string Name => "Upsample";

    public override int FirstVersion => 7;

    public override int LastVersion => 9;
}
