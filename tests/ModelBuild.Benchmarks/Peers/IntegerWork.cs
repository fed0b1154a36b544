using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Benchmarks;

/// <summary>
/// How much of a file computes in integers, counted alike whoever made it: by the kernels that ONNX Runtime runs for it on a sample after all that it fuses
/// (what it does not fuse dequantizes and multiplies in float, whatever the file says), and by the elements of its constants.
/// </summary>
/// <param name="MultiplyAdds">The share of multiply-adds in integer kernels; null where there are none.</param>
/// <param name="Weights">The share of the constants' elements that are stored in 8 bits and less.</param>
/// <param name="FloatLayers">The nodes with multiply-adds in float.</param>
internal sealed record IntegerWork(double? MultiplyAdds, double Weights, IReadOnlyList<string> FloatLayers)
{
    /// <summary>Constants of fewer elements are scales, shapes and factors.</summary>
    private const int SmallestWeight = 16;

    /// <summary>Counts a file.</summary>
    /// <exception cref="ModelBuild.Compression.CompressionException">ONNX Runtime refuses it.</exception>
    public static IntegerWork Of(string path, Sample sample)
    {
        double integers = 0, all = 0;
        var floats = new HashSet<string>(StringComparer.Ordinal);
        foreach (var kernel in RuntimeTrace.Of(path, sample.Inputs))
        {
            (var integer, var single) = MultiplyAddsOf(kernel);
            integers += integer;
            all += integer + single;
            if (single > 0 && integer == 0) floats.Add($"{kernel.Operator} {kernel.Node}");
        }
        return new(all > 0 ? integers / all : null, WeightsOf(OnnxReader.Read(path)), [.. floats]);
    }

    /// <summary>Whether a model's layers are looked up or stepped through rather than multiplied at once: there the share of the weights tells more.</summary>
    public static bool CountsWeights(Model original) => original.Nodes.Any(n => n.OpType is "LSTM" or "GRU" or "RNN"
        || n.OpType == "Gather" && n.Input(0)?.Constant is { Rank: 2, ElementType: ElementType.Float or ElementType.Float16 });

    /// <summary>Multiply-adds in integers and in float of one kernel. Inputs that are left out are not listed, so that places count from the front.</summary>
    private static (double Integer, double Float) MultiplyAddsOf(TracedKernel kernel)
    {
        var (x, w, y) = (At(kernel.Inputs, 0), At(kernel.Inputs, 1), At(kernel.Outputs, 0));
        return kernel.Operator switch
        {
            "Conv" or "FusedConv" or "NhwcFusedConv" => (0, Convolution(w, y)),
            "ConvInteger" => (Convolution(w, y), 0),
            "QLinearConv" => (Convolution(At(kernel.Inputs, 3), y), 0),
            "ConvTranspose" => (0, x.Elements * w.Elements / Math.Max(1, w.Along(0))),
            "Gemm" or "FusedGemm" or "MatMul" or "FusedMatMul" or "TransposeMatMul" => (0, Product(w, y)),
            "MatMulInteger" or "MatMulIntegerToFloat" or "DynamicQuantizeMatMul" => (Product(w, y), 0),
            "QLinearMatMul" or "QGemm" => (Product(At(kernel.Inputs, 3), y), 0),
            // Integers as they are stored alone: it multiplies floats.
            "MatMulNBits" => (0, y.Elements * x.Along(-1)),
            "LSTM" or "GRU" or "RNN" => (0, Recurrent(x, w, At(kernel.Inputs, 2))),
            "DynamicQuantizeLSTM" => (Recurrent(x, w, At(kernel.Inputs, 2)), 0),
            "Attention" => (0, (double)x.Along(0) * x.Along(1) * w.Elements + Pairs(x)),
            // The projection is in integers, the products of positions in float.
            "QAttention" => ((double)x.Along(0) * x.Along(1) * w.Elements, Pairs(x)),
            "MultiHeadAttention" => (0, 2 * x.Elements * w.Along(1)),
            _ => (0, 0),
        };
    }

    private static double Pairs(TracedTensor x) => 2 * x.Elements * x.Along(1);

    private static double Convolution(TracedTensor w, TracedTensor y) => y.Elements * w.Elements / Math.Max(1, w.Along(0));

    /// <summary>[..., rows, k] by [..., k, columns] or its transpose.</summary>
    private static double Product(TracedTensor b, TracedTensor y)
    {
        var columns = (double)Math.Max(1, y.Along(-1));
        var matrices = b.Shape.Length > 2 ? b.Elements / Math.Max(1, b.Along(-1) * b.Along(-2)) : 1;
        return y.Elements * b.Elements / Math.Max(1, matrices * columns);
    }

    private static double Recurrent(TracedTensor x, TracedTensor w, TracedTensor r) => (double)x.Along(0) * x.Along(1) * (w.Elements + r.Elements);

    private static readonly TracedTensor None = new("", []);

    private static TracedTensor At(IReadOnlyList<TracedTensor> tensors, int index) => index < tensors.Count ? tensors[index] : None;

    private static double WeightsOf(Model model)
    {
        double integers = 0, all = 0;
        // A value that is used several times is stored once.
        var seen = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
        foreach (var node in model.Nodes)
            for (var i = 0; i < node.Inputs.Count; i++)
            {
                if (node.Inputs[i]?.Constant is not { Length: >= SmallestWeight } constant || !seen.Add(constant)) continue;
                var isInteger = constant.ElementType is ElementType.Int8 or ElementType.UInt8 or ElementType.Int4 or ElementType.UInt4;
                var isFloat = constant.ElementType is ElementType.Float or ElementType.Float16 or ElementType.Double or ElementType.BFloat16;
                if (!isInteger && !isFloat) continue;
                // Two weights of 4 bits lie in a byte there.
                var elements = node.OpType == "MatMulNBits" && i == 1 && node.Int("bits", 4) == 4 ? 2.0 * constant.Length : constant.Length;
                all += elements;
                if (isInteger) integers += elements;
            }
        return all > 0 ? integers / all : 0;
    }
}
