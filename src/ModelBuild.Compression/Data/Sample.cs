using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>What is fed to the model in one call, and what is known about the answer.</summary>
/// <param name="Inputs">Every input of the model by name.</param>
/// <param name="Labels">Class numbers: one per row of the leading axis, or one per position; null where there are none. Negative ones mean nothing.</param>
/// <param name="Expected">Expected values by output name; empty where there are none.</param>
public sealed record Sample(IReadOnlyDictionary<string, Tensor> Inputs, Tensor? Labels, IReadOnlyDictionary<string, Tensor> Expected);
