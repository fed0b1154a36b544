using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Softmax and LogSoftmax along one axis; below operator set 13 over all axes from one on.</summary>
internal static class SoftmaxLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        new("Softmax", new(Lower)),
        new("LogSoftmax", new(Lower)),
    ];

    private static void Lower(Lowering lowering, Node node)
    {
        var x = lowering.Read(node, 0);
        if (x.Rank == 0)
            throw Lowering.Unsupported(node);
        var logarithm = node.Is("LogSoftmax");
        var axis = (int)node.Int("axis", node.Graph.Model.Opset < 13 ? 1 : -1);
        if (axis < 0)
            axis += x.Rank;
        if (node.Graph.Model.Opset >= 13)
        {
            lowering.Place(node.Output, Along(lowering, node, x, axis, logarithm));
            return;
        }
        // All axes from one on are one row.
        var y = lowering.Write(node.Output);
        Rows(lowering, node, lowering.RowMajor(x, node), y, TensorView.Product(x.Extents.Take(axis)), TensorView.Product(x.Extents.Skip(axis)), null,
            logarithm);
    }

    /// <summary>The softmax of a view along an axis, or its logarithm, in a buffer of its own.</summary>
    public static TensorView Along(Lowering lowering, Node node, TensorView x, int axis, bool logarithm)
    {
        // The axis comes last in memory; where the rest lies does not matter.
        int[] last = [.. Enumerable.Range(0, x.Rank).Where(d => d != axis), axis];
        var (input, row) = lowering.Rows(ViewLowering.Permuted(x, last), node);
        var y = lowering.Allocate(input.Extents, ModelElementType.Float);
        Rows(lowering, node, input, y, TensorView.Product(input.Extents.Take(x.Rank - 1)), input.Extents[^1], row, logarithm);
        return ViewLowering.Permuted(y, [.. Enumerable.Range(0, x.Rank).Select(d => Array.IndexOf(last, d))]);
    }

    private static void Rows(Lowering lowering, Node node, TensorView x, TensorView y, Dimension rows, Dimension length, Dimension? row, bool logarithm) =>
        lowering.Call(new SoftmaxArguments
        {
            X = lowering.Operand(x), Y = lowering.Operand(y), Rows = lowering.Size(rows), Length = lowering.Size(length), XRow = lowering.Size(row ?? length),
            YRow = lowering.Size(length), Logarithm = lowering.Size(logarithm ? 1 : 0), Masked = lowering.Size(0),
        }, node.DisplayName);
}
