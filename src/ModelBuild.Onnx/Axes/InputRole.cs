namespace ModelBuild.Onnx;

/// <summary>What an input is to its operator.</summary>
public enum InputRole
{
    /// <summary>Data that flows through the model.</summary>
    Activation,
    /// <summary>Learned numbers that activations are multiplied by.</summary>
    Weights,
    /// <summary>Learned numbers that are added.</summary>
    Bias,
    /// <summary>Factors, one for all elements or one for each slice: of normalizations and of quantized tensors.</summary>
    Scale,
    /// <summary>The integer that stands for zero in a quantized tensor.</summary>
    ZeroPoint,
    /// <summary>What one call hands to the next, or one step of a sequence to the next.</summary>
    State,
    /// <summary>Steers the operator: axes, shapes, sizes, pads, limits.</summary>
    Parameter,
    /// <summary>Tells which elements are taken or written.</summary>
    Indices,
}
