using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>ONNX Runtime's DynamicQuantizeLSTM by constant weights of int8: one call a direction.</summary>
internal static class DynamicLstmLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators => [new("com.microsoft.DynamicQuantizeLSTM", new(Lower))];

    private static void Lower(Lowering lowering, Node node)
    {
        if (lowering.ConstantOf(node.Inputs[1]) is not { ElementType: ElementType.Int8, Rank: 3 } w
            || lowering.ConstantOf(node.Inputs[2]) is not { ElementType: ElementType.Int8, Rank: 3 } r
            || RecurrentLowering.Constant(lowering, node, 8) is not { } wScales || RecurrentLowering.Constant(lowering, node, 10) is not { } rScales
            || !IsZero(lowering, node, 9) || !IsZero(lowering, node, 11) || node.Float("clip") != 0 || node.Int("input_forget") != 0
            || node.Attributes.ContainsKey("activations"))
            throw Lowering.Unsupported(node);
        var (directions, inputs, hidden, columns) = ((int)w.Shape[0], (int)w.Shape[1], (int)r.Shape[1], (int)w.Shape[2]);
        var (bias, peepholes) = (RecurrentLowering.Constant(lowering, node, 3), RecurrentLowering.Constant(lowering, node, 7));
        var x = lowering.Read(node, 0);
        if (x.Strides[2] != 1 && x.Extents[2] != 1)
            x = lowering.RowMajor(x, node);
        var lengths = node.Input(4) is null ? Operand.Absent : lowering.Operand(lowering.Read(node, 4, ModelElementType.Int32));
        var y = RecurrentLowering.Used(node, 0) is { } all ? RecurrentLowering.Output(lowering, all, null) : null;
        var lastH = RecurrentLowering.Used(node, 1) is { } h ? RecurrentLowering.Output(lowering, h, null) : null;
        var lastC = RecurrentLowering.Used(node, 2) is { } c ? RecurrentLowering.Output(lowering, c, null) : null;
        var (initialH, initialC) = (RecurrentLowering.State(lowering, node, 5, false), RecurrentLowering.State(lowering, node, 6, false));
        for (var d = 0; d < directions; d++)
        {
            var (wPacked, wNarrow) = Matrix(lowering, w, d, inputs, columns);
            var (rPacked, rNarrow) = Matrix(lowering, r, d, hidden, columns);
            lowering.Call(new LstmDynamicInt8Arguments
            {
                X = lowering.Operand(x), W = wPacked, R = rPacked, WScale = Scales(lowering, wScales, d, directions, columns),
                RScale = Scales(lowering, rScales, d, directions, columns),
                Bias = bias is null ? Operand.Absent
                    : lowering.Packed<float>(Packings.Raw, RecurrentPacking.Bias(bias.Span<float>().Slice(d * 2 * columns, 2 * columns))),
                Peepholes = peepholes is null ? Operand.Absent
                    : lowering.Packed<float>(Packings.Raw, peepholes.Span<float>().Slice(d * 3 * hidden, 3 * hidden)),
                Lengths = lengths, InitialH = Part(initialH, 0, d), InitialC = Part(initialC, 0, d), Y = Part(y, 1, d), LastH = Part(lastH, 0, d),
                LastC = Part(lastC, 0, d), Steps = lowering.Size(x.Extents[0]), Batch = lowering.Size(x.Extents[1]), Inputs = lowering.Size(inputs),
                Hidden = lowering.Size(hidden), XStep = Stride(x, 0), XBatch = Stride(x, 1), YStep = Stride(y, 0), YBatch = Stride(y, 2),
                InitialHBatch = Stride(initialH, 1), InitialCBatch = Stride(initialC, 1), LastHBatch = Stride(lastH, 1), LastCBatch = Stride(lastC, 1),
                Reverse = lowering.Size(node.String("direction", "forward") == "reverse" || d == 1 ? 1 : 0), WNarrow = lowering.Size(wNarrow),
                RNarrow = lowering.Size(rNarrow),
            }, node.DisplayName);
        }

        Operand Part(TensorView? view, int axis, int direction) =>
            view is null ? Operand.Absent : lowering.Operand(ViewLowering.Sliced(view, axis, direction, 1));

        Size Stride(TensorView? view, int dimension) => lowering.Size(view is null ? 0 : view.Strides[dimension]);
    }

    private static (Operand Packed, long Narrow) Matrix(Lowering lowering, Tensor weights, int direction, int rows, int columns)
    {
        var part = weights.Span<sbyte>().Slice(direction * rows * columns, rows * columns);
        var packing = DenseInt8Packing.PackingFor(part);
        return (lowering.Packed<byte>(packing, DenseInt8Packing.Pack(part, rows, columns)), packing == Packings.DenseInt7 ? 1 : 0);
    }

    /// <summary>One scale a column; one scale of all is repeated.</summary>
    private static Operand Scales(Lowering lowering, Tensor scales, int direction, int directions, int columns)
    {
        var each = scales.Length / directions;
        var part = scales.Span<float>().Slice((int)(direction * each), (int)each);
        var padded = new float[Panels.PaddedColumns(columns)];
        for (var i = 0; i < columns; i++)
            padded[i] = part[part.Length == 1 ? 0 : i];
        return lowering.Packed<float>(Packings.Raw, padded);
    }

    private static bool IsZero(Lowering lowering, Node node, int index) => node.Input(index) is null
        || lowering.ConstantOf(node.Input(index)) is { } zeros && Numbers.Integers(zeros).All(static z => z == 0);
}
