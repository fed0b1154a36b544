using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Prices candidates by the kernels that ONNX Runtime runs for them on the user's own data: what it fuses, folds and moves about decides on time more than what
/// the file says, and can be asked without a clock. Without data the graph is priced.
/// </summary>
/// <param name="dimensions">Sizes of named dimensions in a typical call.</param>
/// <param name="sample">What is fed; null where there is no data.</param>
public sealed class OnnxRuntimeCostModel(IReadOnlyDictionary<string, long> dimensions, Sample? sample) : ICostModel
{
    private readonly Dictionary<string, IReadOnlyList<KernelClass>> _kernels = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public ICosts By(CostTable table) => new OnnxRuntimeCosts(table, dimensions);

    /// <inheritdoc/>
    public double Predict(CostTable table, Model model, Artifact artifact)
    {
        if (sample is null)
            return By(table).Predict(model.Graph);
        // Equal artifacts, of several profiles, are asked about once.
        if (!_kernels.TryGetValue(artifact.Sha256, out var kernels))
            _kernels.Add(artifact.Sha256, kernels = KernelsOf(model, artifact.Path, sample));
        return table.Of(OnnxRuntimeCompilerBackend.BackendName, "call", "any", default)
            + kernels.Sum(k => table.Of(OnnxRuntimeCompilerBackend.BackendName, k.Class, k.Precision, k.Work));
    }

    /// <summary>What ONNX Runtime is charged for in one call.</summary>
    /// <param name="model">What the file was written of.</param>
    /// <param name="path">The file.</param>
    /// <param name="sample">What is fed.</param>
    public static IReadOnlyList<KernelClass> KernelsOf(Model model, string path, Sample sample)
    {
        var blocks = BlocksChannels(model);
        return [.. RuntimeTrace.Of(path, sample.Inputs).Select(k => KernelClass.Of(k, blocks)).OfType<KernelClass>()];
    }

    /// <summary>Whether convolutions run on blocks of channels: not where the caller may replace their weights, as files of the first years let him.</summary>
    private static bool BlocksChannels(Model model) => model.Nodes.Where(static n => n.Is("Conv"))
        .All(static n => n.Input(1) is null or { IsGraphInput: false });
}
