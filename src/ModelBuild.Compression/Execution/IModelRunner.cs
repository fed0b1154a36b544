using ModelBuild.Onnx;

namespace ModelBuild.Compression.Execution;

/// <summary>Runs a model on named tensors: the original, a candidate or an artifact, whatever backend it needs. Not thread safe.</summary>
public interface IModelRunner : IDisposable
{
    /// <summary>Runs the model.</summary>
    /// <param name="inputs">Every input by name.</param>
    /// <returns>The outputs by name.</returns>
    IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs);
}
