using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>What calls of one model and of its candidates consist of on a backend, whatever CPU they run on: priced by cost tables.</summary>
public interface ICostModel
{
    /// <summary>The prices of a CPU class.</summary>
    ICosts By(CostTable table);

    /// <summary>Predicts what one call of a candidate takes on one thread, in nanoseconds.</summary>
    /// <param name="table">The prices.</param>
    /// <param name="model">What the artifact was written of.</param>
    /// <param name="artifact">What runs.</param>
    double Predict(CostTable table, Model model, Artifact artifact);
}
