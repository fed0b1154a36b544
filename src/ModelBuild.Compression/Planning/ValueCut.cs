namespace ModelBuild.Compression.Planning;

/// <summary>What a step leaves of a value: some indices of one axis.</summary>
/// <param name="Value">The value, by name in the model that the step was planned on.</param>
/// <param name="Axis">The axis.</param>
/// <param name="Kept">The indices that are left, in the order in which the changed value has them.</param>
public sealed record ValueCut(string Value, int Axis, IReadOnlyList<int> Kept);
