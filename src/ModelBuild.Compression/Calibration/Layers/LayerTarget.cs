namespace ModelBuild.Compression.Calibration;

/// <summary>A layer that a walk stops at, and what it should give.</summary>
/// <param name="Layer">The layer: the key (<see cref="Onnx.Node.Key"/>) of a node of the changed model at which a walk can
/// stop (<see cref="LayerWalk.CanStopAt"/>).</param>
/// <param name="Target">The value of the model with the targets that stands for the layer's first output.</param>
public sealed record LayerTarget(string Layer, Provenance Target);
