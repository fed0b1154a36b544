using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>ONNX Runtime: artifacts are .onnx files, quantized as QuantizeLinear and DequantizeLinear around operators.</summary>
public sealed class OnnxRuntimeCompilerBackend : CompilerBackend
{
    /// <summary>The name in items, plans, manifests and reports.</summary>
    public const string BackendName = "onnxruntime";

    /// <summary>Tables predict whole models within about a twentieth (benchmarks -- costs): a candidate that computes otherwise than the original must promise
    /// more than that to be preferred.</summary>
    private const double Uncertainty = 1.05;

    /// <inheritdoc/>
    public override string Name => BackendName;

    /// <inheritdoc/>
    public override string Title => "ONNX Runtime";

    /// <inheritdoc/>
    public override string Extension => ".onnx";

    /// <inheritdoc/>
    public override bool RunsOriginals => true;

    /// <inheritdoc/>
    public override bool PrefersFileOperatorSet => true;

    /// <inheritdoc/>
    public override double Caution(Plan? plan) => plan is { ChangesArithmetic: true } ? Uncertainty : 1;

    /// <inheritdoc/>
    public override ICostModel CostsOver(IReadOnlyDictionary<string, long> dimensions, Sample? sample) => new OnnxRuntimeCostModel(dimensions, sample);

    /// <inheritdoc/>
    public override Artifact? Write(ArtifactFolder folder, Plan plan, Model model, byte[] signatureHash, out string? why)
    {
        if (model.Nodes.FirstOrDefault(static n => n.Domain == Domains.ModelBuild) is { } own)
        {
            why = $"'{own.DisplayName}' ({own.QualifiedOpType}) is computed by the managed kernels only";
            return null;
        }
        var stamped = model.Clone();
        RuntimeFusions.Apply(stamped);
        SubgraphReaders.Separate(stamped);
        ArtifactMetadata.Stamp(stamped, plan, signatureHash);
        why = null;
        return folder.Add(stamped);
    }

    /// <inheritdoc/>
    public override IPlacement PlacementOver(string original) => new RuntimePlacement(original);

    /// <inheritdoc/>
    public override IModelRunner Open(string path, Func<ModelDescription> description, int threads) => new OnnxRuntimeRunner(path, threads);
}
