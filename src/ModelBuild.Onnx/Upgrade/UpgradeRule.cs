namespace ModelBuild.Onnx;

/// <summary>What changes about an operator in a version of the operator set.</summary>
/// <param name="OpType">The operator.</param>
/// <param name="Version">The version from which on the new form holds.</param>
/// <param name="Apply">Brings a node from the form before to the new one. What inference proved is of the model as it was: asked of the node's outputs, since
/// what it reads may be new.</param>
/// <param name="Refuse">Why a node has no equivalent in the new form, or null where it has.</param>
internal sealed record UpgradeRule(string OpType, long Version, Action<Node, InferenceResult> Apply, Func<Node, InferenceResult, string?>? Refuse = null);
