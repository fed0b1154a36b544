namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor resampled to other lengths along its axes, by nearest neighbour, linear or cubic interpolation.</summary>
internal sealed class Resize : ResizeOperator
{
    public override string Name => "Resize";

    public override int FirstVersion => 10;
}
