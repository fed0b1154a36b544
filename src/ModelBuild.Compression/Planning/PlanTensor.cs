using System.Security.Cryptography;
using System.Text.Json.Serialization;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// A tensor of a step plan: corrected biases, masks, trained weights. Small ones are written into the plan; of larger ones the plan has the hash of their
/// bytes, which lie in <see cref="PlanTensors"/>. Two are equal where type, shape and bytes are.
/// </summary>
[JsonConverter(typeof(PlanTensorConverter))]
public sealed class PlanTensor : IEquatable<PlanTensor>
{
    /// <summary>A tensor of a plan.</summary>
    /// <param name="value">The tensor; not of strings.</param>
    /// <exception cref="ArgumentException">The tensor is one of strings.</exception>
    public PlanTensor(Tensor value)
    {
        if (value.ElementType == ElementType.String)
            throw new ArgumentException("a plan holds no texts as tensors", nameof(value));
        (Value, Hash) = (value, Convert.ToHexStringLower(SHA256.HashData(value.Bytes.Span)));
    }

    /// <summary>The tensor.</summary>
    public Tensor Value { get; }

    /// <summary>SHA-256 of its bytes, lower-case hexadecimal.</summary>
    public string Hash { get; }

    /// <inheritdoc/>
    public bool Equals(PlanTensor? other) => other is not null && Hash == other.Hash && Value.ElementType == other.Value.ElementType
        && Value.Shape.AsSpan().SequenceEqual(other.Value.Shape.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PlanTensor);

    /// <inheritdoc/>
    public override int GetHashCode() => Hash.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => $"{Value} {Hash}";
}
