using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>The managed kernels: artifacts are programs of few steps, with weights packed at load.</summary>
public sealed class ManagedCompilerBackend : CompilerBackend, IPlacement
{
    /// <inheritdoc/>
    public override string Name => ManagedBackend.BackendName;

    /// <inheritdoc/>
    public override string Title => "the managed kernels";

    /// <inheritdoc/>
    public override string Extension => ".modelbuild";

    /// <inheritdoc/>
    public override bool IsBuiltIn => true;

    /// <inheritdoc/>
    public override ICostModel CostsOver(IReadOnlyDictionary<string, long> dimensions, Sample? sample) => new ManagedCostModel(dimensions);

    /// <inheritdoc/>
    public override LoweringPlan? ChooseLowering(Model model, Dataset? data, int threads, CancellationToken cancellation) =>
        ManagedLowering.Choose(model, data, threads, cancellation);

    /// <inheritdoc/>
    public override Artifact? Write(ArtifactFolder folder, Plan plan, Model model, byte[] signatureHash, out string? why) =>
        ManagedLowering.TryLower(model, signatureHash, plan.Lowering, out var program, out why) ? folder.Add(program) : null;

    /// <inheritdoc/>
    public override IPlacement PlacementOver(string original) => this;

    // A program says itself which kernel each step runs.
    Placement IPlacement.Of(Model model, Artifact artifact) => Placement.AsPlanned;

    /// <inheritdoc/>
    public override IModelRunner Open(string path, Func<ModelDescription> description, int threads) => new ManagedRunner(path, description());
}
