using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Measuring;

/// <summary>A model of one operator, to measure what the operator costs.</summary>
/// <param name="Model">The model; its one input is called <c>x</c>.</param>
/// <param name="Work">What the operator has to do.</param>
internal sealed record OperatorSample(Model Model, OperatorWork Work)
{
    private const float ActivationScale = 0.02f;

    /// <summary>A convolution, in float or between quantize and dequantize as the QDQ writer places them.</summary>
    public static OperatorSample Conv(int channels, int height, int width, int filters, int kernel, bool depthwise, bool integer)
    {
        var (model, x) = Start(integer, 1, channels, height, width);
        var graph = model.Graph;
        var weights = Weights(filters, depthwise ? 1 : channels, kernel, kernel);
        var input = integer ? Dequantize(graph, x) : x;
        var conv = graph.AddNode("Conv", [input, Constant(graph, weights, 0, integer), Bias(graph, filters, integer, weights)], ["y"]);
        var pad = kernel / 2;
        conv.Attributes["pads"] = new long[] { pad, pad, pad, pad };
        conv.Attributes["group"] = depthwise ? (long)channels : 1;
        Finish(graph, conv, integer, 1, filters, height, width);
        double pixels = height * width, window = kernel * kernel * (depthwise ? 1 : channels);
        return new(model, new(pixels * filters * window, pixels * filters, kernel == 1 ? 0 : pixels * kernel * kernel));
    }

    /// <summary>A Gemm.</summary>
    public static OperatorSample Gemm(int rows, int inputs, int outputs, bool integer)
    {
        var (model, x) = Start(integer, rows, inputs);
        var graph = model.Graph;
        var weights = Weights(outputs, inputs);
        var gemm = graph.AddNode("Gemm", [integer ? Dequantize(graph, x) : x, Constant(graph, weights, 0, integer), Bias(graph, outputs, integer, weights)],
            ["y"]);
        gemm.Attributes["transB"] = 1L;
        Finish(graph, gemm, integer, rows, outputs);
        return new(model, new((double)rows * inputs * outputs, (double)rows * outputs, (double)rows * inputs));
    }

    /// <summary>A small dense net, whose kernels find their code and data in the first cache; the widths are those of its layers.</summary>
    public static OperatorSample Dense(int[] widths, bool integer)
    {
        var (model, x) = Start(integer, 1, widths[0]);
        var graph = model.Graph;
        for (var i = 1; i < widths.Length; i++)
        {
            var weights = Weights(widths[i], widths[i - 1]);
            var gemm = graph.AddNode("Gemm",
                [integer ? Dequantize(graph, x) : x, Constant(graph, weights, 0, integer), Bias(graph, widths[i], integer, weights)],
                [$"h{i}"]);
            gemm.Attributes["transB"] = 1L;
            gemm.Output.Type = TensorType.Of(ElementType.Float, 1, widths[i]);
            x = integer ? Quantize(graph, gemm.Output) : gemm.Output;
            if (integer)
                x.Type = TensorType.Of(ElementType.UInt8, 1, widths[i]);
        }
        graph.AddOutput(x);
        return new(model, new(widths.Zip(widths.Skip(1), static (a, b) => (double)a * b).Sum()));
    }

    /// <summary>A MatMul with weights, as dynamic quantization rewrites it.</summary>
    public static OperatorSample DynamicGemm(int rows, int inputs, int outputs) => Rewritten(Gemm(rows, inputs, outputs, false));

    /// <inheritdoc cref="Dense"/>
    public static OperatorSample DynamicDense(int[] widths) => Rewritten(Dense(widths, false));

    /// <summary>An LSTM over a sequence.</summary>
    public static OperatorSample Lstm(int steps, int inputs, int hidden, bool dynamic)
    {
        var (model, x) = Start(false, steps, 1, inputs);
        var graph = model.Graph;
        var lstm = graph.AddNode("LSTM",
            [x, graph.AddInitializer("w", Weights(1, 4 * hidden, inputs)), graph.AddInitializer("r", Weights(1, 4 * hidden, hidden))], ["y"]);
        lstm.Attributes["hidden_size"] = (long)hidden;
        Finish(graph, lstm, false, steps, 1, 1, hidden);
        var sample = new OperatorSample(model, new(steps * 4.0 * hidden * (hidden + inputs)));
        return dynamic ? Rewritten(sample) : sample;
    }

    /// <summary>An operator of one input that multiplies nothing.</summary>
    public static OperatorSample Unary(string opType, int channels, int height, int width, Action<Node>? attributes = null)
    {
        var (model, x) = Start(false, 1, channels, height, width);
        var node = model.Graph.AddNode(opType, [x], ["y"]);
        attributes?.Invoke(node);
        model.Graph.AddOutput(node.Output);
        ShapeInference.Run(model);
        return new(model, new((double)channels * height * width));
    }

    /// <summary>A normalization by constants behind a Relu, which no convolution takes over.</summary>
    public static OperatorSample BatchNormalization(int channels, int height, int width)
    {
        var (model, x) = Start(false, 1, channels, height, width);
        var graph = model.Graph;
        Value Ones() => graph.AddInitializer("p", Tensor.Of([.. Enumerable.Repeat(1f, channels)], channels));
        var node = graph.AddNode("BatchNormalization", [graph.AddNode("Relu", [x], ["r"]).Output, Ones(), Ones(), Ones(), Ones()], ["y"]);
        Finish(graph, node, false, 1, channels, height, width);
        return new(model, new((double)channels * height * width));
    }

    /// <summary>The sample with weights that the caller may replace: what runtimes prepare of them is prepared in each call.</summary>
    public OperatorSample Replaceable()
    {
        foreach (var weights in Model.Graph.Initializers)
            Model.Graph.MarkInput(weights);
        return this;
    }

    /// <summary>Nodes in a row that do next to nothing and that no runtime merges.</summary>
    public static OperatorSample Chain(int length)
    {
        var (model, value) = Start(false, 1);
        for (var i = 0; i < length; i++)
            value = model.Graph.AddNode(i % 2 == 0 ? "Neg" : "Abs", [value], [$"y{i}"]).Output;
        model.Graph.AddOutput(value);
        ShapeInference.Run(model);
        return new(model, new(length));
    }

    /// <summary>A sum of a tensor with itself, in float or in integers.</summary>
    public static OperatorSample Add(int channels, int height, int width, bool integer)
    {
        var (model, x) = Start(integer, 1, channels, height, width);
        var graph = model.Graph;
        var node = graph.AddNode("Add", [integer ? Dequantize(graph, x) : x, integer ? Dequantize(graph, x) : x], ["y"]);
        Finish(graph, node, integer, 1, channels, height, width);
        return new(model, new((double)channels * height * width));
    }

    /// <summary>Global average pooling, in float or in integers.</summary>
    public static OperatorSample Pool(int channels, int height, int width, bool integer)
    {
        var (model, x) = Start(integer, 1, channels, height, width);
        var node = model.Graph.AddNode("GlobalAveragePool", [integer ? Dequantize(model.Graph, x) : x], ["y"]);
        Finish(model.Graph, node, integer, 1, channels, 1, 1);
        return new(model, new((double)channels * height * width));
    }

    /// <summary>Maximum over windows of two by two, in floats or on the integers themselves.</summary>
    public static OperatorSample WindowPool(int channels, int height, int width, bool integer)
    {
        var (model, x) = Start(integer, 1, channels, height, width);
        var node = model.Graph.AddNode("MaxPool", [x], ["y"]);
        node.Attributes["kernel_shape"] = new long[] { 2, 2 };
        node.Attributes["strides"] = new long[] { 2, 2 };
        node.Output.Type = TensorType.Of(integer ? ElementType.UInt8 : ElementType.Float, 1, channels, height / 2, width / 2);
        model.Graph.AddOutput(node.Output);
        return new(model, new((double)channels * height * width));
    }

    /// <summary>QuantizeLinear of floats, or DequantizeLinear of integers.</summary>
    public static OperatorSample Conversion(bool quantize, int length)
    {
        var (model, x) = Start(!quantize, 1, length);
        if (quantize)
        {
            var q = Quantize(model.Graph, x);
            q.Type = TensorType.Of(ElementType.UInt8, 1, length);
            model.Graph.AddOutput(q);
        }
        else
        {
            var f = Dequantize(model.Graph, x);
            f.Type = TensorType.Of(ElementType.Float, 1, length);
            model.Graph.AddOutput(f);
        }
        return new(model, new(length));
    }

    private static OperatorSample Rewritten(OperatorSample sample)
    {
        var profile = Compression.Profiles.BuiltInProfiles.ThisMachine with { Activations = ElementType.UInt8 };
        var pipeline = new Pipeline(new TechniqueRegistry(), sample.Model, null);
        var planned = pipeline.TryPlan(new Recipe([new(new DynamicInt8().Name, [])]), profile,
            new OnnxRuntimeCosts(CostTable.Load(profile.CostClass), new Dictionary<string, long>()))!;
        return sample with { Model = planned.Model };
    }

    private static (Model Model, Value Input) Start(bool integer, params long[] shape)
    {
        var model = new Model { IrVersion = 8, Opset = 13 };
        return (model, model.Graph.AddInput("x", TensorType.Of(integer ? ElementType.UInt8 : ElementType.Float, shape)));
    }

    private static void Finish(Graph graph, Node node, bool integer, params long[] shape)
    {
        node.Output.Type = TensorType.Of(ElementType.Float, shape);
        var output = integer ? Quantize(graph, node.Output) : node.Output;
        if (integer)
            output.Type = TensorType.Of(ElementType.UInt8, shape);
        graph.AddOutput(output);
    }

    private static Value Quantize(Graph graph, Value x) =>
        graph.AddNode("QuantizeLinear",
            [x, graph.AddInitializer("s", Tensor.Scalar(ActivationScale * 4)), graph.AddInitializer("z", Tensor.Scalar((byte)128))], [x.Name + "_q"]).Output;

    private static Value Dequantize(Graph graph, Value x) =>
        graph.AddNode("DequantizeLinear", [x, graph.AddInitializer("s", Tensor.Scalar(ActivationScale)), graph.AddInitializer("z", Tensor.Scalar((byte)128))],
            [x.Name + "_f"]).Output;

    private static Value Constant(Graph graph, Tensor weights, int axis, bool integer)
    {
        if (!integer)
            return graph.AddInitializer("w", weights);
        var q = QuantizedWeights.Of(weights, axis, 127);
        var node = graph.AddNode("DequantizeLinear", [graph.AddInitializer("w", q.Data), graph.AddInitializer("ws", Tensor.Vector(q.Scales)),
            graph.AddInitializer("wz", Tensor.Vector(new sbyte[q.Scales.Length]))], ["w_f"]);
        node.Attributes["axis"] = (long)axis;
        return node.Output;
    }

    private static Value Bias(Graph graph, int channels, bool integer, Tensor weights)
    {
        if (!integer)
            return graph.AddInitializer("b", Tensor.Of(new float[channels], channels));
        var scales = QuantizedWeights.Of(weights, 0, 127).Scales.Select(s => s * ActivationScale).ToArray();
        var node = graph.AddNode("DequantizeLinear",
            [graph.AddInitializer("b", Tensor.Of(new int[channels], channels)), graph.AddInitializer("bs", Tensor.Vector(scales))], ["b_f"]);
        node.Attributes["axis"] = 0L;
        return node.Output;
    }

    private static Tensor Weights(params long[] shape)
    {
        var data = new float[Tensor.Count(shape)];
        for (var i = 0; i < data.Length; i++)
            data[i] = MathF.Sin(i * 78.233f) * 0.1f;
        return Tensor.Of(data, shape);
    }
}
