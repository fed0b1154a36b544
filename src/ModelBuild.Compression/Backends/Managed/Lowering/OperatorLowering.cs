using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>How an operator is lowered.</summary>
/// <param name="Lower">Adds its calls.</param>
/// <param name="Described">Inputs that only describe, such as shapes and axes: they are read when the model is compiled, never by a kernel.</param>
internal sealed record OperatorLowering(Action<Lowering, Node> Lower, params int[] Described);
