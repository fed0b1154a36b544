namespace ModelBuild.Compression.Backends;

/// <summary>What a traced kernel is charged for: a line of the cost table, and how much of it.</summary>
/// <param name="Class">The operator class.</param>
/// <param name="Precision">The precision.</param>
/// <param name="Work">How much it has to do.</param>
public readonly record struct KernelClass(string Class, string Precision, OperatorWork Work)
{
    private const string Any = "any";

    /// <summary>The columns that a float product works on at a time (MLAS on x64), unless there is a single one.</summary>
    private const int Columns = 16;

    /// <summary>The class of a kernel; null for what costs nothing by itself (the owner of a body, whose kernels are counted).</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="blocks">Whether float convolutions over pictures run on blocks of channels.</param>
    public static KernelClass? Of(TracedKernel kernel, bool blocks)
    {
        var x = At(kernel.Inputs, 0);
        var y = At(kernel.Outputs, 0);
        switch (kernel.Operator)
        {
            case "If" or "Loop" or "Scan":
                return null;
            case "Conv" or "FusedConv" or "NhwcFusedConv":
                return Convolution(Precisions.Float32, x, At(kernel.Inputs, 1), y, !blocks || x.Shape.Length != 4);
            case "QLinearConv":
                return Convolution(Precisions.Int8, x, At(kernel.Inputs, 3), y, false);
            case "ConvTranspose":
                {
                    var w = At(kernel.Inputs, 1);
                    return new("convtranspose", Precisions.Float32, new(x.Elements * w.Elements / Math.Max(1, w.Along(0)), y.Elements, x.Elements, w.Elements));
                }
            case "Gemm" or "FusedGemm" or "MatMul" or "FusedMatMul" or "TransposeMatMul":
                return Product(Precisions.Float32, x, At(kernel.Inputs, 1), y);
            case "QGemm" or "QLinearMatMul":
                return Product(Precisions.Int8, x, At(kernel.Inputs, 3), y);
            case "MatMulIntegerToFloat" or "MatMulInteger" or "DynamicQuantizeMatMul":
                return Product(Precisions.DynamicInt8, x, At(kernel.Inputs, 1), y);
            // Integers of 4 bits, of which half as many bytes are read, by rows that are quantized in each call.
            case "MatMulNBits":
                return new("gemm", Precisions.DynamicInt8, new(y.Elements * x.Along(-1), y.Elements, x.Elements, At(kernel.Inputs, 1).Elements));
            case "LSTM" or "GRU" or "RNN":
                return Recurrent(Precisions.Float32, x, At(kernel.Inputs, 1), At(kernel.Inputs, 2));
            case "DynamicQuantizeLSTM":
                {
                    var recurrent = Recurrent(Precisions.DynamicInt8, x, At(kernel.Inputs, 1), At(kernel.Inputs, 2));
                    // One scale for all is applied with the product, one for each gate is a pass over what it gives.
                    return kernel.Inputs.Any(static i => i is { Type: "float", Shape.Length: 1 })
                        ? recurrent with { Work = recurrent.Work with { Outputs = 0 } } : recurrent;
                }
            case "Attention" or "QAttention" or "MultiHeadAttention":
                {
                    // x [batch, sequence, hidden]: the projections, and two products of each pair of positions.
                    var w = At(kernel.Inputs, 1);
                    return new("attention", kernel.Operator == "QAttention" ? Precisions.Int8 : Precisions.Float32,
                        new(x.Along(0) * x.Along(1) * w.Elements + 2 * x.Elements * x.Along(1), y.Elements, x.Elements, w.Elements));
                }
            case "Softmax" or "LogSoftmax" or "BiasSoftmax":
                return new("softmax", Precisions.Float32, new(y.Elements));
            case "LayerNormalization" or "SkipLayerNormalization" or "EmbedLayerNormalization" or "InstanceNormalization" or "GroupNormalization"
                or "SimplifiedLayerNormalization" or "SkipSimplifiedLayerNormalization"
                or "RMSNormalization" or "LpNormalization" or "MeanVarianceNormalization":
                return new("normalization", Precisions.Float32, new(y.Elements));
            case "Gelu" or "BiasGelu" or "FastGelu" or "QuickGelu" or "Erf" or "Exp" or "Log" or "Pow" or "Softplus" or "Sin" or "Cos" or "Sigmoid" or "Tanh"
                or "HardSigmoid" or "HardSwish" or "Elu" or "Selu" or "Mish"
                or "Swish":
                return new("transcendental", Precisions.Float32, new(y.Elements));
            case "QLinearSigmoid" or "QLinearSoftmax" or "QLinearLeakyRelu":
                return new("transcendental", Precisions.Int8, new(y.Elements));
            case "MaxPool" or "AveragePool" or "LpPool" or "QLinearAveragePool" or "NhwcMaxPool":
                return new("windowpool", PrecisionOf(x), new(x.Elements, y.Elements));
            case "GlobalAveragePool" or "GlobalMaxPool" or "QLinearGlobalAveragePool" or "QLinearReduceMean" or "ReduceMean" or "ReduceSum" or "ReduceMax"
                or "ReduceMin" or "ReduceProd" or "ReduceL2" or "ReduceSumSquare"
                or "ArgMax" or "ArgMin" or "TopK" or "CumSum":
                return new("pool", PrecisionOf(x), new(x.Elements, y.Elements));
            case "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Shape" or "Size" or "Identity" or "Constant" or "Dropout" or "ConstantOfShape"
                or "Range":
                return new("view", Any, default);
            case "Transpose":
                return new("transpose", PrecisionOf(y), new(y.Elements));
            // Blocks of channels in and out: part of what convolutions cost.
            case "ReorderInput" or "ReorderOutput":
                return new("conv", Precisions.Float32, default);
            case "Resize" or "Upsample" or "GridSample":
                return new("resize", PrecisionOf(y), new(y.Elements));
            case "Concat" or "QLinearConcat" or "Slice" or "Split" or "Pad" or "Gather" or "GatherElements" or "GatherND" or "ScatterND" or "ScatterElements"
                or "Expand" or "Tile" or "Where" or "QLinearWhere"
                or "DepthToSpace" or "SpaceToDepth" or "Trilu":
                return new("move", PrecisionOf(y), new(kernel.Outputs.Sum(static o => o.Elements)));
            case "QuantizeLinear" or "DynamicQuantizeLinear":
                return new("quantize", Any, new(x.Elements));
            case "DequantizeLinear":
                return new("dequantize", Any, new(x.Elements));
            case "Cast":
                return new("cast", Any, new(y.Elements));
            case "BatchNormalization":
                return new("batchnorm", Precisions.Float32, new(y.Elements));
            case "Relu" or "Clip" or "LeakyRelu" or "PRelu" or "Abs" or "Neg":
                return new("activation", PrecisionOf(y), new(y.Elements));
            default:
                return new("elementwise", PrecisionOf(y), new(y.Elements));
        }
    }

    private static readonly TracedTensor None = new("", []);

    private static TracedTensor At(IReadOnlyList<TracedTensor> tensors, int index) => index < tensors.Count ? tensors[index] : None;

    private static string PrecisionOf(TracedTensor tensor) => tensor.Type == "u" + Precisions.Int8 || tensor.Type == Precisions.Int8 ? Precisions.Int8
        : Precisions.Float32;

    /// <summary>x in either layout, w [filters, channels in a group, window...].</summary>
    private static KernelClass Convolution(string precision, TracedTensor x, TracedTensor w, TracedTensor y, bool plain)
    {
        var filters = Math.Max(1, w.Along(0));
        var perOutput = w.Elements / filters;
        var window = perOutput / Math.Max(1, w.Along(1));
        var pixels = y.Elements / filters;
        var isDepthwise = w.Along(1) == 1 && filters > 1 && (x.Along(1) > 1 && filters % x.Along(1) == 0 || x.Along(-1) > 1 && filters % x.Along(-1) == 0)
            && !(x.Along(1) == 1 && x.Shape.Length > 2);
        // Without blocks each window is copied into a row of a matrix first, channel by channel where groups have one each.
        var gathered = !plain ? pixels * window : isDepthwise ? y.Elements * perOutput : pixels * perOutput;
        var units = y.Elements * perOutput;
        // Pixels are the columns of a product then; where they are few, most of the columns that it works on are empty.
        if (plain && !isDepthwise && precision == Precisions.Float32)
        {
            var pictures = Math.Max(1, x.Along(0));
            var columns = pixels / pictures;
            units = filters * perOutput * pictures * (columns > 1 ? Math.Ceiling(columns / Columns) * Columns : columns);
        }
        var work = new OperatorWork(units, y.Elements, gathered, w.Elements);
        return new((isDepthwise ? "depthwise" : window == 1 ? "pointwise" : "conv") + (plain ? "-plain" : ""), precision, work);
    }

    /// <summary>a [..., rows, k] by b [..., k, columns] or its transpose.</summary>
    private static KernelClass Product(string precision, TracedTensor a, TracedTensor b, TracedTensor y)
    {
        var columns = Math.Max(1, y.Along(-1));
        var matrices = b.Shape.Length > 2 ? b.Elements / Math.Max(1, b.Along(-1) * b.Along(-2)) : 1;
        var k = b.Elements / Math.Max(1, matrices * columns);
        return new(matrices > 1 && precision == Precisions.Float32 ? "batched" : "gemm", precision, new(y.Elements * k, y.Elements, a.Elements, b.Elements));
    }

    /// <summary>x [steps, batch, inputs], w [directions, gates, inputs], r [directions, gates, hidden], the last two axes swapped where they are
    /// integers.</summary>
    private static KernelClass Recurrent(string precision, TracedTensor x, TracedTensor w, TracedTensor r)
    {
        double rows = (double)x.Along(0) * x.Along(1), directions = w.Along(0), gates = w.Elements / Math.Max(1, directions * x.Along(2));
        // The inputs of all steps are multiplied at once; the states, which wait for the step before, one by one.
        return new("recurrent", precision, new(Units: rows * r.Elements, Outputs: rows * directions * gates, Gathered: rows * w.Elements,
            Weights: x.Along(0) * directions));
    }
}
