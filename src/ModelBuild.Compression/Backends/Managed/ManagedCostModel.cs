using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Prices what is lowered by the graph that it is lowered from: nothing happens to it after that.</summary>
/// <param name="dimensions">Sizes of named dimensions in a typical call.</param>
internal sealed class ManagedCostModel(IReadOnlyDictionary<string, long> dimensions) : ICostModel
{
    /// <inheritdoc/>
    public ICosts By(CostTable table) => new ManagedCosts(table, dimensions);

    /// <inheritdoc/>
    public double Predict(CostTable table, Model model, Artifact artifact) => By(table).Predict(model.Graph);
}
