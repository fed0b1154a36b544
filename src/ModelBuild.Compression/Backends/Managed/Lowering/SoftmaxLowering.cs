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
        var flattened = node.Graph.Model.Opset < 13;
        var axis = (int)node.Int("axis", flattened ? 1 : -1);
        if (axis < 0)
            axis += x.Rank;
        if (x.Rank == 0)
            throw Lowering.Unsupported(node);
        // The axis comes last in memory; where the rest lies does not matter.
        int[] last = flattened ? [.. Enumerable.Range(0, x.Rank)] : [.. Enumerable.Range(0, x.Rank).Where(d => d != axis), axis];
        var moved = ViewLowering.Permuted(x, last);
        var (input, row) = flattened ? (lowering.RowMajor(moved, node), TensorView.Product(x.Extents.Skip(axis))) : lowering.Rows(moved, node);
        var length = flattened ? row : input.Extents[^1];
        TensorView y;
        if (last.SequenceEqual(Enumerable.Range(0, x.Rank)))
            y = lowering.Write(node.Output);
        else
        {
            y = lowering.Allocate(input.Extents, ModelElementType.Float);
            lowering.Place(node.Output, ViewLowering.Permuted(y, [.. Enumerable.Range(0, x.Rank).Select(d => Array.IndexOf(last, d))]));
        }
        lowering.Call(new SoftmaxArguments
        {
            X = lowering.Operand(input), Y = lowering.Operand(y),
            Rows = lowering.Size(TensorView.Product(flattened ? x.Extents.Take(axis) : input.Extents.Take(x.Rank - 1))), Length = lowering.Size(length),
            XRow = lowering.Size(row), YRow = lowering.Size(length), Logarithm = lowering.Size(node.Is("LogSoftmax") ? 1 : 0),
            Masked = lowering.Size(0),
        }, node.DisplayName);
    }
}
