using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>A layer with its weights in fewer bits.</summary>
/// <param name="node">The layer.</param>
/// <param name="weights">Its weights by input.</param>
/// <param name="hasKernel">Whether a kernel reads its integers.</param>
internal sealed class RoundedNode(Node node, IReadOnlyList<(int Index, RoundedTensor Tensor)> weights, bool hasKernel)
{
    /// <summary>The layers of a model that have weights, in the graph's order.</summary>
    /// <param name="model">The model. Not changed.</param>
    /// <param name="block">About how many weights share a scale.</param>
    /// <param name="byKernel">Whether products are to be computed by a kernel that reads integers.</param>
    public static IReadOnlyList<RoundedNode> Of(Model model, int block, bool byKernel)
    {
        var tensors = new Dictionary<(Value, int, int, bool), RoundedTensor>();
        List<RoundedNode> layers = [];
        foreach (var node in model.Nodes)
            if (ConstantWeights.Of(node, withHalves: true).ToList() is { Count: > 0 } weights)
            {
                var exact = byKernel && BlockProduct.CanBe(node);
                layers.Add(new(node, [.. weights.Select(w => (w.Index, Tensor: Rounded(node.Inputs[w.Index]!, w.Axis, w.Axes, exact)))], exact));
            }
        return layers;

        RoundedTensor Rounded(Value value, int axis, int axes, bool exact)
        {
            if (!tensors.TryGetValue((value, axis, axes, exact), out var rounded))
                tensors.Add((value, axis, axes, exact), rounded = new(value, axis, axes,
                    BlockLayout.Of(value.Constant!.Shape.AsSpan(), axis, axes, block, exact)));
            return rounded;
        }
    }

    /// <summary>The layer.</summary>
    public Node Node => node;

    /// <summary>The layer as plans name it.</summary>
    public PlannedLayer Layer { get; } = PlannedLayer.Of(node);

    /// <summary>Its weights by input.</summary>
    public IReadOnlyList<(int Index, RoundedTensor Tensor)> Weights => weights;

    /// <summary>What is added to the bias of each channel where the weights have so many bits, since rounding moves the means; none where nothing is
    /// known of the means.</summary>
    public Dictionary<int, float[]> Shifts { get; } = [];

    /// <summary>Why it is not rounded at all, or null.</summary>
    public string? WhyFloat { get; } = weights.All(static w => float.IsFinite(w.Tensor.Largest)) ? null : "some of its weights are no finite numbers";

    /// <summary>Why it has no form in 4 bits, or null.</summary>
    public string? WhyBytes { get; } = weights.Sum(static w => w.Tensor.Bytes(8) - w.Tensor.Bytes(4)) > 0 ? null
        : "8 bits: its blocks are so short that 4 bits with their scales take no less";

    /// <summary>Bytes that some bits take.</summary>
    /// <param name="bits">4, 8 or 16.</param>
    public long Bytes(int bits) => weights.Sum(w => w.Tensor.Bytes(bits));

    /// <summary>Noise over signal of its weights in some bits, of several tensors the largest.</summary>
    /// <param name="bits">4, 8 or 16.</param>
    public double Error(int bits) => weights.Max(w => w.Tensor.Error(bits));

    /// <summary>The layer as it is stored in some bits.</summary>
    /// <param name="bits">4, 8 or 16.</param>
    /// <param name="block">About how many weights share a scale in 4 bits.</param>
    public StoredLayer Stored(int bits, int block) => new(Layer, bits, Error(bits),
        bits != 4 ? [] : [.. weights.Select(w => hasKernel ? BlockProduct.Stored(w.Index, w.Tensor.Blocks, block) : Stored(w.Index, w.Tensor.Blocks, block))],
        Shifts.TryGetValue(bits, out var shift) ? new(BiasPlace.Of(node)!.Corrected(Array.ConvertAll(shift, static s => (double)s))) : null,
        hasKernel && bits == 4);

    private static StoredBlocks Stored(int input, BlockWeights blocks, int block)
    {
        var layout = blocks.Layout;
        var scales = layout.BlocksInTensorOrder<float>(blocks.Scales);
        return new(input, block, new(Packed(layout.InTensorOrder(blocks.Codes), layout.CodesShape)),
            new(blocks.HasHalfScales ? Tensor.Of(Array.ConvertAll(scales, static s => (Half)s), layout.ScalesShape) : Tensor.Of(scales, layout.ScalesShape)),
            new(Packed(layout.BlocksInTensorOrder<byte>(blocks.Zeros), layout.ScalesShape)));
    }

    /// <summary>Integers of 4 bits, two a byte, the first in the low half.</summary>
    internal static Tensor Packed(byte[] values, long[] shape)
    {
        var bytes = new byte[(values.Length + 1) / 2];
        for (var i = 0; i < values.Length; i++)
            bytes[i / 2] |= (byte)(values[i] << (i % 2 * 4));
        return new(ElementType.UInt4, [.. shape], bytes);
    }
}
