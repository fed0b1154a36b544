using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Normalizations: over the last dimensions, over the places of a channel or a group of channels, and by given statistics.</summary>
internal static class NormalizationLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        new("LayerNormalization", new(LayerNorm)),
        new("RMSNormalization", new(LayerNorm)),
        new("InstanceNormalization", new(static (l, n) => Grouped(l, n, null))),
        new("GroupNormalization", new(static (l, n) => Grouped(l, n, n.Int("num_groups")))),
        new("BatchNormalization", new(BatchNorm)),
        new("MeanVarianceNormalization", new(MeanVariance)),
    ];

    private static void LayerNorm(Lowering lowering, Node node)
    {
        var x = lowering.Read(node, 0);
        var axis = (int)node.Int("axis", -1);
        if (axis < 0)
            axis += x.Rank;
        var length = TensorView.Product(x.Extents.Skip(axis));
        var scale = Row(lowering, node, 1, length);
        var bias = node.Input(2) is null ? null : Row(lowering, node, 2, length);
        var epsilon = node.Float("epsilon", 1e-5f);
        lowering.Place(node.Output, Rows(lowering, node, lowering.RowMajor(x, node), axis, scale, bias, node.Is("LayerNormalization"), epsilon));
        // Mean and inverse deviation are for training; whoever asks for them gets them by themselves.
        bool Used(int output) => node.Outputs.Count > output && node.Outputs[output] is { Name.Length: > 0, IsUnused: false };
        if (!Used(1) && !Used(2))
            return;
        int[] axes = [.. Enumerable.Range(axis, x.Rank - axis)];
        var mean = ReductionLowering.Apply(lowering, node, Reduction.Mean, x, axes);
        if (Used(1))
            lowering.Place(node.Outputs[1], mean);
        if (!Used(2))
            return;
        var centered = lowering.Allocate(x.Extents, ModelElementType.Float, x.Order);
        BinaryLowering.Apply(lowering, node, BinaryOperation.Subtract, x, mean, centered);
        BinaryLowering.Apply(lowering, node, BinaryOperation.Multiply, centered, centered, centered);
        var deviation = ReductionLowering.Apply(lowering, node, Reduction.Mean, centered, axes);
        UnaryLowering.Apply(lowering, node, deviation, deviation, UnaryOperation.Linear, 1, epsilon);
        UnaryLowering.Apply(lowering, node, deviation, deviation, UnaryOperation.Sqrt, 0, 0);
        UnaryLowering.Apply(lowering, node, deviation, deviation, UnaryOperation.Reciprocal, 0, 0);
        lowering.Place(node.Outputs[2], deviation);
    }

    private static TensorView Row(Lowering lowering, Node node, int index, Dimension length)
    {
        var row = lowering.RowMajor(lowering.Read(node, index), node);
        return row.Elements == length ? row : throw Lowering.Unsupported(node);
    }

    private static TensorView Rows(Lowering lowering, Node node, TensorView x, int axis, TensorView? scale, TensorView? bias, bool centered, float epsilon)
    {
        var y = lowering.Allocate(x.Extents, ModelElementType.Float);
        var length = lowering.Size(TensorView.Product(x.Extents.Skip(axis)));
        lowering.Call(new NormalizeArguments
        {
            X = lowering.Operand(x), Scale = scale is null ? Operand.Absent : lowering.Operand(scale), Bias = bias is null ? Operand.Absent
                : lowering.Operand(bias),
            Y = lowering.Operand(y), Rows = lowering.Size(TensorView.Product(x.Extents.Take(axis))), Length = length, XRow = length, YRow = length,
            Centered = lowering.Size(centered ? 1 : 0), Epsilon = epsilon,
        }, node.DisplayName);
        return y;
    }

    /// <summary>Each channel, or each group of channels, of each image by itself; then scale and bias of each channel.</summary>
    private static void Grouped(Lowering lowering, Node node, long? groups)
    {
        var x = lowering.Read(node, 0);
        var cut = lowering.RowMajor(x, node);
        var view = groups is { } g
            ? TensorView.Dense(cut.Base, [x.Extents[0], g, TensorView.Product(x.Extents.Skip(1)) / g], [0, 1, 2], x.Type) with { Offset = cut.Offset } : cut;
        var y = Rows(lowering, node, view, 2, null, null, centered: true, node.Float("epsilon", 1e-5f));
        y = TensorView.Dense(y.Base, x.Extents, [.. Enumerable.Range(0, x.Rank)], x.Type);
        // Since operator set 21 scale and bias of GroupNormalization are of channels, before of groups.
        var (scale, bias) = (Channels(lowering, node, 1, x), Channels(lowering, node, 2, x));
        BinaryLowering.Apply(lowering, node, BinaryOperation.Multiply, y, scale, y);
        BinaryLowering.Apply(lowering, node, BinaryOperation.Add, y, bias, y);
        lowering.Place(node.Output, y);
    }

    private static TensorView Channels(Lowering lowering, Node node, int index, TensorView x)
    {
        var row = lowering.Read(node, index);
        if (row.Elements != x.Extents[1])
            throw Lowering.Unsupported(node);
        for (var d = 2; d < x.Rank; d++)
            row = ViewLowering.Inserted(row, row.Rank);
        return row;
    }

    private static void BatchNorm(Lowering lowering, Node node)
    {
        var parts = Enumerable.Range(1, 4).Select(i => lowering.ConstantOf(node.Input(i))).ToArray();
        if (node.Int("training_mode") == 1 || node.Outputs.Skip(1).Any(static o => !o.IsUnused && o.Name.Length > 0))
            throw Lowering.Unsupported(node);
        var x = lowering.Read(node, 0);
        var epsilon = node.Float("epsilon", 1e-5f);
        if (Images.IsImage(x) && parts.All(static p => p is { ElementType: ElementType.Float }))
        {
            var (scale, bias, mean, variance) = (parts[0]!.ToArray<float>(), parts[1]!.ToArray<float>(), parts[2]!.ToArray<float>(),
                parts[3]!.ToArray<float>());
            double[] factors = [.. scale.Select((s, i) => s / Math.Sqrt((double)variance[i] + epsilon))];
            ConvolutionLowering.Affine(lowering, node, x, [.. factors.Select(static f => (float)f)], [.. bias.Select((b, i) =>
                (float)(b - mean[i] * factors[i]))]);
            return;
        }
        var y = lowering.WriteLike(node.Output, x);
        TensorView factor, shift;
        if (parts.All(static p => p is { ElementType: ElementType.Float }))
        {
            var (scale, bias, mean, variance) = (parts[0]!.ToArray<float>(), parts[1]!.ToArray<float>(), parts[2]!.ToArray<float>(),
                parts[3]!.ToArray<float>());
            double[] factors = [.. scale.Select((s, i) => s / Math.Sqrt((double)variance[i] + epsilon))];
            factor = Spread(lowering.Constant(Tensor.Vector(factors.Select(static f => (float)f).ToArray())), x);
            shift = Spread(lowering.Constant(Tensor.Vector(bias.Select((b, i) => (float)(b - mean[i] * factors[i])).ToArray())), x);
        }
        else
        {
            var (scale, bias, mean, variance) = (lowering.Read(node, 1), lowering.Read(node, 2), lowering.Read(node, 3), lowering.Read(node, 4));
            var deviation = UnaryLowering.Apply(lowering, node, UnaryLowering.Apply(lowering, node, variance, UnaryOperation.Linear, 1, epsilon),
                UnaryOperation.Sqrt);
            var f = lowering.Allocate(scale.Extents, ModelElementType.Float);
            BinaryLowering.Apply(lowering, node, BinaryOperation.Divide, scale, deviation, f);
            var s = lowering.Allocate(scale.Extents, ModelElementType.Float);
            BinaryLowering.Apply(lowering, node, BinaryOperation.Multiply, mean, f, s);
            BinaryLowering.Apply(lowering, node, BinaryOperation.Subtract, bias, s, s);
            (factor, shift) = (Spread(f, x), Spread(s, x));
        }
        BinaryLowering.Apply(lowering, node, BinaryOperation.Multiply, x, factor, y);
        BinaryLowering.Apply(lowering, node, BinaryOperation.Add, y, shift, y);
    }

    // A row of channels against [N,C,..].
    private static TensorView Spread(TensorView row, TensorView x)
    {
        for (var d = 2; d < x.Rank; d++)
            row = ViewLowering.Inserted(row, row.Rank);
        return row;
    }

    private static void MeanVariance(Lowering lowering, Node node)
    {
        var x = lowering.Read(node, 0);
        int[] axes = [.. (node.Ints("axes") ?? [0, 2, 3]).Select(a => (int)(a < 0 ? a + x.Rank : a))];
        int[] order = [.. Enumerable.Range(0, x.Rank).Except(axes), .. axes];
        var moved = lowering.RowMajor(ViewLowering.Permuted(x, order), node);
        var y = Rows(lowering, node, moved, x.Rank - axes.Length, null, null, centered: true, 1e-9f);
        lowering.Place(node.Output, ViewLowering.Permuted(y, [.. Enumerable.Range(0, x.Rank).Select(d => Array.IndexOf(order, d))]));
    }
}
