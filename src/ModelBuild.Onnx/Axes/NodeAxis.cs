namespace ModelBuild.Onnx;

/// <summary>One axis of one input or output of a node.</summary>
/// <param name="IsOutput">Whether it is an output's.</param>
/// <param name="Index">Which input or output.</param>
/// <param name="Axis">Which axis, counted from 0.</param>
public readonly record struct NodeAxis(bool IsOutput, int Index, int Axis)
{
    /// <summary>An axis of an input.</summary>
    public static NodeAxis OfInput(int input, int axis) => new(false, input, axis);

    /// <summary>An axis of an output.</summary>
    public static NodeAxis OfOutput(int output, int axis) => new(true, output, axis);

    /// <inheritdoc/>
    public override string ToString() => $"axis {Axis} of {(IsOutput ? "output" : "input")} {Index}";
}
