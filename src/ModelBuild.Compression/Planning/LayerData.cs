using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;

namespace ModelBuild.Compression.Planning;

/// <summary>What layers are repaired by.</summary>
/// <param name="Data">The calibration part.</param>
/// <param name="Options">What a walk may take.</param>
/// <param name="Cancellation">Stops walks.</param>
public sealed record LayerData(Dataset Data, LayerWalkOptions Options, CancellationToken Cancellation = default);
