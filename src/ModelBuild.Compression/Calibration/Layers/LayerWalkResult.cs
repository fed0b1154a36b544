using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>What a walk came to.</summary>
/// <param name="Changed">The changed model with what was changed on the way.</param>
/// <param name="Samples">The samples that reached the last layer: fewer than the data has where the bounds left no room for all.</param>
/// <param name="PeakMemory">The most bytes of activations that were held in memory at a time.</param>
/// <param name="PeakDisk">The most bytes of the temporary file.</param>
public sealed record LayerWalkResult(Model Changed, int Samples, long PeakMemory, long PeakDisk);
