using System.Numerics.Tensors;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>A tensor of weights, and what storing it in fewer bits makes of it. Layers may share it.</summary>
/// <param name="value">The weights.</param>
/// <param name="axis">The first axis of the channels.</param>
/// <param name="axes">How many axes count channels.</param>
/// <param name="layout">How they fall into blocks.</param>
internal sealed class RoundedTensor(Value value, int axis, int axes, BlockLayout layout)
{
    /// <summary>Nothing adds products of 8-bit integers here: all profiles use the full range.</summary>
    public const int Limit = 127;

    private readonly Dictionary<int, double> _errors = [];
    private BlockWeights? _blocks;

    /// <summary>The weights.</summary>
    public Value Value => value;

    /// <summary>The weights as 32-bit floats.</summary>
    public Tensor Weights { get; } = UnpackedWeights.Floats(value.Constant!);

    /// <summary>How they fall into blocks.</summary>
    public BlockLayout Layout => layout;

    /// <summary>The largest magnitude; no finite number where one of them is none.</summary>
    public float Largest { get; } = TensorPrimitives.MaxMagnitude(UnpackedWeights.Floats(value.Constant!).Span<float>());

    /// <summary>The weights as rows.</summary>
    public float[] Rows() => layout.Rows(Weights.Span<float>());

    /// <summary>In 4 bits.</summary>
    public BlockWeights Blocks
    {
        get => _blocks ??= BlockWeights.Nearest(layout, Rows());
        set => (_blocks, _) = (value, _errors.Remove(4));
    }

    /// <summary>The weights that some bits leave, in the tensor's shape.</summary>
    /// <param name="bits">4, 8 or 16.</param>
    public Tensor Stored(int bits) => bits switch
    {
        4 => Tensor.Of(layout.Weights(Blocks.Rows()), Weights.Shape.AsSpan()),
        8 => OfBytes(),
        _ => Largest > UnpackedWeights.LargestHalf ? Weights
            : Tensor.Of(Array.ConvertAll(Weights.ToArray<float>(), static w => (float)(Half)w), Weights.Shape.AsSpan()),
    };

    private Tensor OfBytes()
    {
        var quantized = QuantizedWeights.Of(Weights, axis, Limit, axes);
        var data = quantized.Data.Span<sbyte>();
        var inner = (int)Tensor.Count(Weights.Shape.AsSpan()[(axis + axes)..]);
        var weights = new float[data.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = data[i] * quantized.Scales[i / inner % quantized.Scales.Length];
        return Tensor.Of(weights, Weights.Shape.AsSpan());
    }

    /// <summary>Bytes that some bits take: integers or floats, scales and zero points.</summary>
    /// <param name="bits">4, 8 or 16.</param>
    public long Bytes(int bits) => bits switch
    {
        4 => (layout.Channels * layout.PaddedDepth + 1) / 2 + layout.Channels * layout.Blocks * 2L + (layout.Channels * layout.Blocks + 1) / 2,
        8 => Weights.Length + 4 * Tensor.Count(Weights.Shape.AsSpan().Slice(axis, axes)),
        _ => Weights.Length * (Largest > UnpackedWeights.LargestHalf ? 4 : 2),
    };

    /// <summary>Noise power over signal power in some bits.</summary>
    /// <param name="bits">4, 8 or 16.</param>
    public double Error(int bits)
    {
        if (!_errors.TryGetValue(bits, out var error))
            _errors.Add(bits, error = bits == 4 ? Blocks.Error(Rows()) : bits == 8 ? WeightError.Of(Weights, axis, Limit, axes) : 0);
        return error;
    }
}
