using ModelBuild.Compression.Lowering;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>Writes what a backend runs. The same plan and model give the same bytes.</summary>
public static class ArtifactWriter
{
    /// <summary>Writes the artifact; null where the backend does not take the model.</summary>
    /// <param name="folder">Where it is written.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="model">The model that the plan makes; not changed.</param>
    /// <param name="backend"><c>onnxruntime</c> or <c>managed</c>.</param>
    /// <param name="signatureHash">The hash of the signature that the artifact carries.</param>
    public static Artifact? Write(ArtifactFolder folder, Plan plan, Model model, string backend, byte[] signatureHash)
    {
        if (backend == "managed")
            return ManagedLowering.TryLower(model, signatureHash, out var program, out _) ? folder.Add(program) : null;
        var stamped = model.Clone();
        RuntimeFusions.Apply(stamped);
        ArtifactMetadata.Stamp(stamped, plan, signatureHash);
        return folder.Add(stamped);
    }
}
