using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Support;

/// <summary>Samples that are there already, of any sizes.</summary>
internal sealed class ListDataset(params IReadOnlyDictionary<string, Tensor>[] samples) : Dataset
{
    public override int Count => samples.Length;

    public override bool HasLabels => false;

    public override Sample this[int index] => new(samples[index], null, new Dictionary<string, Tensor>());
}
