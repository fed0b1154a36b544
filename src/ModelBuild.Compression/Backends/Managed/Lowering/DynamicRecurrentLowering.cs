using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>ONNX Runtime's DynamicQuantizeLSTM, and the GRU alike, by constant weights of int8: one call a direction.</summary>
internal static class DynamicRecurrentLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
        [new("com.microsoft.DynamicQuantizeLSTM", new(Lstm)), new("modelbuild.DynamicQuantizeGRU", new(Gru))];

    private static void Lstm(Lowering lowering, Node node)
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
                X = lowering.Operand(x), W = wPacked, R = rPacked, WScale = Scales(lowering, wScales, d, directions, 0, columns),
                RScale = Scales(lowering, rScales, d, directions, 0, columns),
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

    private static void Gru(Lowering lowering, Node node)
    {
        if (lowering.ConstantOf(node.Inputs[1]) is not { ElementType: ElementType.Int8, Rank: 3 } w
            || lowering.ConstantOf(node.Inputs[2]) is not { ElementType: ElementType.Int8, Rank: 3 } r
            || RecurrentLowering.Constant(lowering, node, 6) is not { } wScales || RecurrentLowering.Constant(lowering, node, 8) is not { } rScales
            || !IsZero(lowering, node, 7) || !IsZero(lowering, node, 9))
            throw Lowering.Unsupported(node);
        var (directions, inputs, hidden, columns) = ((int)w.Shape[0], (int)w.Shape[1], (int)r.Shape[1], (int)w.Shape[2]);
        var bias = RecurrentLowering.Constant(lowering, node, 3);
        var linear = node.Int("linear_before_reset") == 1;
        var x = lowering.Read(node, 0);
        if (x.Strides[2] != 1 && x.Extents[2] != 1)
            x = lowering.RowMajor(x, node);
        var lengths = node.Input(4) is null ? Operand.Absent : lowering.Operand(lowering.Read(node, 4, ModelElementType.Int32));
        var y = RecurrentLowering.Used(node, 0) is { } all ? RecurrentLowering.Output(lowering, all, null) : null;
        var last = RecurrentLowering.Used(node, 1) is { } h ? RecurrentLowering.Output(lowering, h, null) : null;
        var initial = RecurrentLowering.State(lowering, node, 5, false);
        for (var d = 0; d < directions; d++)
        {
            var (wPacked, wNarrow) = Matrix(lowering, w, d, inputs, columns);
            var part = r.Span<sbyte>().Slice(d * hidden * columns, hidden * columns);
            var (rPacked, rNarrow) = Matrix(lowering, Columns(part, hidden, columns, 0, 2 * hidden), hidden, 2 * hidden);
            var (hPacked, hNarrow) = Matrix(lowering, Columns(part, hidden, columns, 2 * hidden, hidden), hidden, hidden);
            var biases = bias is null ? default : bias.Span<float>().Slice(d * 2 * columns, 2 * columns);
            lowering.Call(new GruDynamicInt8Arguments
            {
                X = lowering.Operand(x), W = wPacked, R = rPacked, RHidden = hPacked, WScale = Scales(lowering, wScales, d, directions, 0, columns),
                RScale = Scales(lowering, rScales, d, directions, 0, 2 * hidden), RHiddenScale = Scales(lowering, rScales, d, directions, 2 * hidden, hidden),
                Bias = bias is null ? Operand.Absent : lowering.Packed<float>(Packings.Raw, RecurrentPacking.GruBias(biases, linear)),
                HiddenBias = bias is null || !linear ? Operand.Absent : lowering.Packed<float>(Packings.Raw, RecurrentPacking.GruHiddenBias(biases)),
                Lengths = lengths, InitialH = Part(initial, 0, d), Y = Part(y, 1, d), LastH = Part(last, 0, d), Steps = lowering.Size(x.Extents[0]),
                Batch = lowering.Size(x.Extents[1]), Inputs = lowering.Size(inputs), Hidden = lowering.Size(hidden), XStep = Stride(x, 0),
                XBatch = Stride(x, 1), YStep = Stride(y, 0), YBatch = Stride(y, 2), InitialHBatch = Stride(initial, 1), LastHBatch = Stride(last, 1),
                Reverse = lowering.Size(node.String("direction", "forward") == "reverse" || d == 1 ? 1 : 0), LinearBeforeReset = lowering.Size(linear ? 1 : 0),
                WNarrow = lowering.Size(wNarrow), RNarrow = lowering.Size(rNarrow), RHiddenNarrow = lowering.Size(hNarrow),
            }, node.DisplayName);
        }

        Operand Part(TensorView? view, int axis, int direction) =>
            view is null ? Operand.Absent : lowering.Operand(ViewLowering.Sliced(view, axis, direction, 1));

        Size Stride(TensorView? view, int dimension) => lowering.Size(view is null ? 0 : view.Strides[dimension]);
    }

    private static sbyte[] Columns(ReadOnlySpan<sbyte> matrix, int rows, int columns, int first, int count)
    {
        var part = new sbyte[rows * count];
        for (var r = 0; r < rows; r++)
            matrix.Slice(r * columns + first, count).CopyTo(part.AsSpan(r * count));
        return part;
    }

    private static (Operand Packed, long Narrow) Matrix(Lowering lowering, Tensor weights, int direction, int rows, int columns) =>
        Matrix(lowering, weights.Span<sbyte>().Slice(direction * rows * columns, rows * columns), rows, columns);

    private static (Operand Packed, long Narrow) Matrix(Lowering lowering, ReadOnlySpan<sbyte> weights, int rows, int columns)
    {
        var packing = DenseInt8Packing.PackingFor(weights);
        return (lowering.Packed<byte>(packing, DenseInt8Packing.Pack(weights, rows, columns)), packing == Packings.DenseInt7 ? 1 : 0);
    }

    /// <summary>One scale for each of some columns; one scale of all is repeated.</summary>
    private static Operand Scales(Lowering lowering, Tensor scales, int direction, int directions, int first, int count)
    {
        var each = scales.Length / directions;
        var part = scales.Span<float>().Slice((int)(direction * each), (int)each);
        var padded = new float[Panels.PaddedColumns(count)];
        for (var i = 0; i < count; i++)
            padded[i] = part[part.Length == 1 ? 0 : first + i];
        return lowering.Packed<float>(Packings.Raw, padded);
    }

    private static bool IsZero(Lowering lowering, Node node, int index) => node.Input(index) is null
        || lowering.ConstantOf(node.Input(index)) is { } zeros && Numbers.Integers(zeros).All(static z => z == 0);
}
