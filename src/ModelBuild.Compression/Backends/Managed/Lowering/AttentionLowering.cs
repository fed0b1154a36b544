using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Attention as products of views, a softmax in place, and whatever mask there is: heads are split and joined by strides alone.</summary>
internal static class AttentionLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators => [new("Attention", new(Lower))];

    private static void Lower(Lowering lowering, Node node)
    {
        if (node.Outputs.Skip(1).Any(static o => !o.IsUnused && o.Name.Length > 0) || node.Input(4) is not null || node.Input(5) is not null
            || node.Input(6) is not null
            || node.Int("softmax_precision") is not (0 or 1))
            throw Lowering.Unsupported(node);
        var (q, k, v) = (lowering.Read(node, 0), lowering.Read(node, 1), lowering.Read(node, 2));
        var flat = q.Rank == 3;
        if (flat)
        {
            q = Heads(lowering, node, q, node.Int("q_num_heads"));
            k = Heads(lowering, node, k, node.Int("kv_num_heads"));
            v = Heads(lowering, node, v, node.Int("kv_num_heads"));
        }
        // Heads of queries that share keys: the keys stand still along them.
        if (!q.Extents[1].IsConstant || !k.Extents[1].IsConstant)
            throw Lowering.Unsupported(node);
        var shared = q.Extents[1].Value / k.Extents[1].Value;
        if (shared > 1)
            (k, v) = (Spread(lowering, node, k, shared), Spread(lowering, node, v, shared));
        var (batch, heads, queries, keys) = (q.Extents[0], q.Extents[1], q.Extents[2], k.Extents[2]);
        var size = q.Extents[3].IsConstant ? q.Extents[3].Value : throw Lowering.Unsupported(node);
        var scale = node.Attributes.ContainsKey("scale") && node.Float("scale") is not 0 and var given ? given : (float)(1 / Math.Sqrt(size));

        var scores = lowering.Allocate([batch, heads, queries, keys], ModelElementType.Float);
        DenseLowering.Product(lowering, node, q, ViewLowering.Permuted(k, [0, 1, 3, 2]), scores, scale);
        if (node.Float("softcap") is > 0 and var cap)
        {
            UnaryLowering.Apply(lowering, node, scores, scores, UnaryOperation.Linear, 1 / cap, 0);
            UnaryLowering.Apply(lowering, node, scores, scores, UnaryOperation.Tanh, 0, 0);
            UnaryLowering.Apply(lowering, node, scores, scores, UnaryOperation.Linear, cap, 0);
        }
        if (node.Input(3) is { } mask)
            Mask(lowering, node, scores, lowering.Read(mask));
        if (node.Int("is_causal") == 1)
            Mask(lowering, node, scores, Causal(lowering, node, queries, keys));
        Softmax(lowering, node, scores, node.Input(3) is not null || node.Int("is_causal") == 1);
        var valueSize = v.Extents[3];
        TensorView y;
        if (flat)
        {
            var rows = lowering.Allocate([batch, queries, heads, valueSize], ModelElementType.Float);
            y = ViewLowering.Permuted(rows, [0, 2, 1, 3]);
            lowering.Place(node.Output, ViewLowering.Reshaped(lowering, node, rows, lowering.ShapeOf(node.Output)));
        }
        else
            y = lowering.Write(node.Output);
        DenseLowering.Product(lowering, node, scores, v, y, 1);
    }

    /// <summary>[batch, sequence, heads * size] as [batch, heads, sequence, size].</summary>
    private static TensorView Heads(Lowering lowering, Node node, TensorView x, long heads) =>
        ViewLowering.Permuted(ViewLowering.Reshaped(lowering, node, x, [x.Extents[0], x.Extents[1], heads, x.Extents[2] / heads]), [0, 2, 1, 3]);

    private static TensorView Spread(Lowering lowering, Node node, TensorView x, long shared)
    {
        var wide = ViewLowering.Inserted(x, 2);
        wide = wide with { Extents = wide.Extents.SetItem(2, shared) };
        return ViewLowering.Reshaped(lowering, node, wide, x.Extents.SetItem(1, x.Extents[1] * shared));
    }

    private static void Mask(Lowering lowering, Node node, TensorView scores, TensorView mask)
    {
        if (mask.Type == ModelElementType.Float)
        {
            BinaryLowering.Apply(lowering, node, BinaryOperation.Add, scores, mask, scores);
            return;
        }
        if (mask.Type != ModelElementType.Bool)
            throw Lowering.Unsupported(node);
        MapLowering.Choose(lowering, node, mask, scores, lowering.Constant(Tensor.Scalar(float.NegativeInfinity)), scores);
    }

    /// <summary>Whether a key comes no later than a query.</summary>
    private static TensorView Causal(Lowering lowering, Node node, Dimension queries, Dimension keys)
    {
        TensorView Places(Dimension count)
        {
            var places = lowering.Allocate([count], ModelElementType.Int32);
            lowering.Call(new SequenceArguments
            {
                Type = ModelElementType.Int32, Y = lowering.Operand(places), Count = lowering.Size(count), Start = lowering.Size(0), Step = lowering.Size(1),
            }, node.DisplayName);
            return places;
        }
        var mask = lowering.Allocate([queries, keys], ModelElementType.Bool);
        MapLowering.Compare(lowering, node, Comparison.LessOrEqual, Places(keys), ViewLowering.Inserted(Places(queries), 1), mask);
        return mask;
    }

    private static void Softmax(Lowering lowering, Node node, TensorView scores, bool masked)
    {
        var length = lowering.Size(scores.Extents[3]);
        lowering.Call(new SoftmaxArguments
        {
            X = lowering.Operand(scores), Y = lowering.Operand(scores), Rows = lowering.Size(TensorView.Product(scores.Extents.Take(3))), Length = length,
            XRow = length, YRow = length, Logarithm = lowering.Size(0), Masked = lowering.Size(masked ? 1 : 0),
        }, node.DisplayName);
    }
}
