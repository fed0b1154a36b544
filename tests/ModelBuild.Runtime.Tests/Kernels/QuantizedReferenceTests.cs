using ModelBuild.Kernels;
using ModelBuild.TestModels;

namespace ModelBuild.Runtime.Tests;

/// <summary>Recurrent and 8-bit kernels against ONNX Runtime.</summary>
public sealed class QuantizedReferenceTests
{
    [Theory]
    [InlineData(9, 11, 16, 40, 1, 1, 0)]
    [InlineData(12, 10, 32, 32, 3, 1, 1)]
    [InlineData(15, 9, 3, 24, 3, 2, 1)]
    [InlineData(8, 8, 20, 20, 3, 1, 1, true)]
    [InlineData(11, 7, 40, 40, 5, 2, 2, true)]
    public void Integer_convolutions_are_QLinearConv(int height, int width, int inputs, int outputs, int kernel, int stride, int pad, bool depthwise = false)
    {
        TestRandom random = new(height * 100 + width, inputs, outputs);
        TestView x = new(1, height, width, inputs) { Top = pad, Left = pad, Bottom = pad, Right = pad };
        TestView y = new(1, (height + 2 * pad - kernel) / stride + 1, (width + 2 * pad - kernel) / stride + 1, outputs);
        const byte xZero = 100, yZero = 120;
        const float xScale = 0.02f, yScale = 0.3f;
        var values = random.Bytes(x.Length);
        for (var i = 0; i < values.Length; i++)
        {
            int row = i / x.Row - pad, pixel = i % x.Row / x.Pixel - pad;
            if (row < 0 || row >= height || pixel < 0 || pixel >= width) values[i] = xZero;
        }
        var count = (depthwise ? 1 : inputs) * kernel * kernel;
        var w = random.Weights(outputs * count, narrow: true);
        int[] bias = [.. random.Floats(outputs).Select(v => (int)(v * 1000))];
        float[] scales = [.. random.Floats(outputs).Select(v => (0.03f + MathF.Abs(v) * 0.02f) / MathF.Sqrt(count))];
        var model = new OnnxWriter().Input("x", ModelElementType.Float, 1, inputs, height, width).Output("y", ModelElementType.Float, 1, outputs, y.Height, y.Width)
            .Constant<float>("xs", [xScale]).Constant<byte>("xz", [xZero]).Constant<sbyte>("w", w, outputs, depthwise ? 1 : inputs, kernel, kernel)
            .Constant<float>("ws", scales, outputs).Constant<sbyte>("wz", new sbyte[outputs], outputs).Constant<float>("ys", [yScale])
            .Constant<byte>("yz", [yZero]).Constant<int>("b", bias, outputs).Node("Cast", ["x"], ["q"], ("to", 2))
            .Node("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["r"], ("kernel_shape", new long[] { kernel, kernel }),
                ("strides", new long[] { stride, stride }), ("pads", new long[] { pad, pad, pad, pad }), ("group", depthwise ? inputs : 1))
            .Node("Cast", ["r"], ["y"], ("to", 1)).ToArray();
        var expected = OnnxRuntimeReferenceTests.Reference(model, [.. x.ChannelsFirst.Select(i => (float)values[i])], 1, inputs, height, width);
        var operands = new CallOperands().Input("X", values).Constant("Bias", Packings.Raw, bias)
            .Constant("Multiplier", Packings.Raw, scales.Select(s => xScale * s / yScale).ToArray()).Output<byte>("Y", y.Length, 0, Enumerable.Range(0, y.Length));
        byte[] actual;
        if (depthwise)
        {
            actual = operands.Constant("W", Packings.DepthwiseInt7, DepthwiseInt8Packing.Pack(w, outputs, kernel, kernel)).Run(new DepthwiseInt8Arguments
            {
                XType = ModelElementType.UInt8, YType = ModelElementType.UInt8, Images = N(1), OutputRows = N(y.Height), OutputColumns = N(y.Width),
                Channels = N(outputs), KernelRows = N(kernel), KernelColumns = N(kernel), StrideRows = N(stride), StrideColumns = N(stride), DilationRows = N(1),
                DilationColumns = N(1), XPixel = N(x.Pixel), XRow = N(x.Row), XImage = N(x.Image), YPixel = N(y.Pixel), YRow = N(y.Row), YImage = N(y.Image),
                Narrow = N(1), XZero = N(xZero), YZero = N(yZero), YMinimum = N(0), YMaximum = N(255),
            })["Y"];
        }
        else
        {
            actual = operands.Constant("W", Packings.DenseInt7, ConvolutionInt8Packing.Pack(w, outputs, inputs, kernel, kernel, byPixel: false))
                .Run(new ConvolutionInt8Arguments
                {
                    XType = ModelElementType.UInt8, YType = ModelElementType.UInt8, Images = N(1), InputChannels = N(inputs), OutputRows = N(y.Height),
                    OutputColumns = N(y.Width), OutputChannels = N(outputs), KernelRows = N(kernel), KernelColumns = N(kernel), StrideRows = N(stride),
                    StrideColumns = N(stride), DilationRows = N(1), DilationColumns = N(1), XPixel = N(x.Pixel), XRow = N(x.Row), XImage = N(x.Image),
                    YPixel = N(y.Pixel), YRow = N(y.Row), YImage = N(y.Image), ByPixel = N(0), Narrow = N(1), XZero = N(xZero), YZero = N(yZero),
                    YMinimum = N(0), YMaximum = N(255),
                })["Y"];
        }
        Assert.Equal(expected, y.ChannelsFirst.Select(i => (float)actual[i]));
    }

    [Theory]
    [InlineData("LSTM", 4)]
    [InlineData("GRU", 3)]
    [InlineData("GRU", 3, true)]
    [InlineData("RNN", 1)]
    public void Recurrent_kernels_are_ONNX_operators(string op, int gates, bool linear = false)
    {
        const int steps = 6, batch = 3, inputs = 10, hidden = 20;
        TestRandom random = new(steps, gates, hidden);
        float[] x = random.Floats(steps * batch * inputs), w = random.Floats(gates * hidden * inputs), b = random.Floats(2 * gates * hidden);
        float[] r = [.. random.Floats(gates * hidden * hidden).Select(v => v / 4)];
        List<(string, object)> attributes = [("hidden_size", hidden), ("direction", "reverse")];
        if (op == "GRU") attributes.Add(("linear_before_reset", linear ? 1 : 0));
        var model = new OnnxWriter().Input("x", ModelElementType.Float, steps, batch, inputs).Output("y", ModelElementType.Float, steps, 1, batch, hidden)
            .Constant<float>("w", w, 1, gates * hidden, inputs).Constant<float>("r", r, 1, gates * hidden, hidden).Constant<float>("b", b, 1, 2 * gates * hidden)
            .Node(op, ["x", "w", "r", "b"], ["y"], [.. attributes]).ToArray();
        var expected = OnnxRuntimeReferenceTests.Reference(model, x, steps, batch, inputs);
        var operands = new CallOperands().Input("X", x).Output<float>("Y", expected.Length, 0, Enumerable.Range(0, expected.Length))
            .Constant("W", Packings.DenseF32, DenseF32Packing.Pack(w, inputs, gates * hidden, true))
            .Constant("Bias", Packings.Raw, op == "GRU" ? RecurrentPacking.GruBias(b, linear) : RecurrentPacking.Bias(b));
        operands.Constant("R", Packings.DenseF32, op == "GRU" ? DenseF32Packing.Pack(r.AsSpan(0, 2 * hidden * hidden), hidden, 2 * hidden, true)
            : DenseF32Packing.Pack(r, hidden, gates * hidden, true));
        if (op == "GRU")
            operands.Constant("RHidden", Packings.DenseF32, DenseF32Packing.Pack(r.AsSpan(2 * hidden * hidden), hidden, hidden, true))
                .Constant("HiddenBias", Packings.Raw, linear ? RecurrentPacking.GruHiddenBias(b) : null);
        Size t = N(steps), n = N(batch), i = N(inputs), h = N(hidden), xStep = N(batch * inputs), yStep = N(batch * hidden);
        var actual = op switch
        {
            "LSTM" => operands.Run(new LstmF32Arguments
            {
                Steps = t, Batch = n, Inputs = i, Hidden = h, XStep = xStep, XBatch = i, YStep = yStep, YBatch = h, Reverse = N(1), F = N(0), G = N(1), H = N(1),
            }),
            "GRU" => operands.Run(new GruF32Arguments
            {
                Steps = t, Batch = n, Inputs = i, Hidden = h, XStep = xStep, XBatch = i, YStep = yStep, YBatch = h, Reverse = N(1), F = N(0), G = N(1),
                LinearBeforeReset = N(linear ? 1 : 0),
            }),
            _ => operands.Run(new RnnF32Arguments
            {
                Steps = t, Batch = n, Inputs = i, Hidden = h, XStep = xStep, XBatch = i, YStep = yStep, YBatch = h, Reverse = N(1), F = N(1),
            }),
        };
        Close(expected, Floats(actual["Y"]), 1e-5f);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(5, true)]
    public void LstmDynamicInt8_is_DynamicQuantizeLSTM(int batch, bool narrow)
    {
        const int steps = 4, inputs = 24, hidden = 20, columns = 4 * hidden;
        TestRandom random = new(steps, batch, hidden);
        float[] x = random.Floats(steps * batch * inputs), b = random.Floats(2 * columns);
        sbyte[] w = random.Weights(inputs * columns, narrow), r = random.Weights(hidden * columns, narrow);
        float[] wScale = [.. random.Floats(columns).Select(v => (1 + 0.3f * v) / 500)], rScale = [.. random.Floats(columns).Select(v => (1 + 0.3f * v) / 400)];
        var model = new OnnxWriter().Input("x", ModelElementType.Float, steps, batch, inputs).Output("y", ModelElementType.Float, steps, 1, batch, hidden)
            .Constant<sbyte>("w", w, 1, inputs, columns).Constant<sbyte>("r", r, 1, hidden, columns).Constant<float>("b", b, 1, 2 * columns)
            .Constant<float>("ws", wScale, 1, columns).Constant<float>("rs", rScale, 1, columns).Constant<sbyte>("wz", new sbyte[columns], 1, columns)
            .Constant<sbyte>("rz", new sbyte[columns], 1, columns)
            .Node("com.microsoft::DynamicQuantizeLSTM", ["x", "w", "r", "b", "", "", "", "", "ws", "wz", "rs", "rz"], ["y"], ("hidden_size", hidden)).ToArray();
        var expected = OnnxRuntimeReferenceTests.Reference(model, x, steps, batch, inputs);
        var packing = narrow ? Packings.DenseInt7 : Packings.DenseInt8;
        var actual = new CallOperands().Input("X", x).Output<float>("Y", expected.Length, 0, Enumerable.Range(0, expected.Length))
            .Constant("W", packing, DenseInt8Packing.Pack(w, inputs, columns)).Constant("R", packing, DenseInt8Packing.Pack(r, hidden, columns))
            .Constant("WScale", Packings.Raw, Padded(wScale)).Constant("RScale", Packings.Raw, Padded(rScale))
            .Constant("Bias", Packings.Raw, RecurrentPacking.Bias(b)).Run(new LstmDynamicInt8Arguments
            {
                Steps = N(steps), Batch = N(batch), Inputs = N(inputs), Hidden = N(hidden), XStep = N(batch * inputs), XBatch = N(inputs), YStep = N(batch * hidden),
                YBatch = N(hidden), WNarrow = N(narrow ? 1 : 0), RNarrow = N(narrow ? 1 : 0),
            });
        // A state that another rounding moves by a level moves what follows.
        Close(expected, Floats(actual["Y"]), 0.01f);

        static float[] Padded(float[] scales) => [.. scales, .. new float[Panels.PaddedColumns(scales.Length) - scales.Length]];
    }

    private static Size N(long value) => Size.Of(value);

    private static float[] Floats(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan()).ToArray();

    private static void Close(float[] expected, float[] actual, float tolerance)
    {
        var most = expected.Max(MathF.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(MathF.Abs(expected[i] - actual[i]) <= tolerance * most, $"element {i}: {expected[i]} and {actual[i]}");
    }
}
