using Microsoft.ML.OnnxRuntime;
using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.TestModels;

namespace ModelBuild.Runtime.Tests;

/// <summary>Kernels against ONNX Runtime: integers equal, floats within 1e-5 of the largest value (sums in another order).</summary>
public sealed class OnnxRuntimeReferenceTests
{
    private const float None = float.PositiveInfinity;

    [Theory]
    [InlineData(1, 256, 100)]
    [InlineData(5, 70, 33)]
    [InlineData(32, 128, 64)]
    public void DenseF32_is_Gemm_and_Relu(int m, int k, int n)
    {
        TestRandom random = new(m, k, n);
        float[] x = random.Floats(m * k), w = random.Floats(k * n), b = random.Floats(n);
        var model = new OnnxWriter().Input("x", ModelElementType.Float, m, k).Output("y", ModelElementType.Float, m, n)
            .Constant<float>("w", w, n, k).Constant<float>("b", b, n)
            .Node("Gemm", ["x", "w", "b"], ["g"], ("transB", 1)).Node("Relu", ["g"], ["y"]).ToArray();
        KernelHarness h = new();
        Close(Reference(model, x, m, k), h.Run<float, DenseF32Arguments>(new()
        {
            X = h.Input(x), W = h.Constant(Packings.DenseF32, DenseF32Packing.Pack(w, k, n, transposed: true)), Bias = h.Constant(Packings.Raw, b),
            Y = h.Output<float>(m * n), M = h.N(m), K = h.N(k), N = h.N(n), XRow = h.N(k), YRow = h.N(n), Minimum = 0, Maximum = None,
        }));
    }

    [Theory]
    [InlineData(1, 40)]
    [InlineData(7, 1000)]
    public void Softmax_is_Softmax(int rows, int length)
    {
        float[] x = [.. new TestRandom(rows, length, 0).Floats(rows * length).Select(v => v * 10)];
        var model = new OnnxWriter().Input("x", ModelElementType.Float, rows, length).Output("y", ModelElementType.Float, rows, length)
            .Node("Softmax", ["x"], ["y"], ("axis", -1)).ToArray();
        KernelHarness h = new();
        Close(Reference(model, x, rows, length), h.Run<float, SoftmaxArguments>(new()
        {
            X = h.Input(x), Y = h.Output<float>(x.Length), Rows = h.N(rows), Length = h.N(length), XRow = h.N(length), YRow = h.N(length), Logarithm = h.N(0), Masked = h.N(0),
        }));
    }

    [Theory]
    [InlineData("Sigmoid", nameof(UnaryOperation.Sigmoid))]
    [InlineData("Tanh", nameof(UnaryOperation.Tanh))]
    [InlineData("Exp", nameof(UnaryOperation.Exp))]
    [InlineData("Neg", nameof(UnaryOperation.Negate))]
    [InlineData("Abs", nameof(UnaryOperation.Abs))]
    [InlineData("Reciprocal", nameof(UnaryOperation.Reciprocal))]
    [InlineData("LeakyRelu", nameof(UnaryOperation.LeakyRelu), 0.01f)]
    [InlineData("Elu", nameof(UnaryOperation.Elu), 1f)]
    [InlineData("HardSigmoid", nameof(UnaryOperation.HardSigmoid), 0.2f, 0.5f)]
    [InlineData("HardSwish", nameof(UnaryOperation.HardSwish))]
    [InlineData("Erf", nameof(UnaryOperation.Erf))]
    [InlineData("Gelu", nameof(UnaryOperation.Gelu))]
    public void Functions_are_ONNX_functions(string op, string operation, float alpha = 0, float beta = 0)
    {
        float[] x = [.. Enumerable.Range(-500, 1001).Select(i => i / 40f + 0.001f)];
        var model = new OnnxWriter().Input("x", ModelElementType.Float, x.Length).Output("y", ModelElementType.Float, x.Length).Node(op, ["x"], ["y"])
            .ToArray();
        KernelHarness h = new();
        Close(Reference(model, x, x.Length), h.Run<float, UnaryArguments>(new()
        {
            Operation = h.N((int)Enum.Parse<UnaryOperation>(operation)), X = h.Input(x), Y = h.Output<float>(x.Length), Extents = h.Extents(x.Length), XStrides = h.Strides(1),
            YStrides = h.Strides(1), Alpha = alpha, Beta = beta,
        }));
    }

    [Fact]
    public void QuantizeLinear_rounds_and_saturates_as_ONNX()
    {
        // Halves of the scale are ties; the scale is no power of two, so that a product with its reciprocal would round otherwise.
        var scale = 0.1f;
        float[] x = [.. Enumerable.Range(-4000, 8000).Select(i => i * 0.05f * 0.1f), 1e9f, -1e9f, None, -None];
        var model = new OnnxWriter().Input("x", ModelElementType.Float, x.Length).Output("y", ModelElementType.Float, x.Length)
            .Constant<float>("scale", [scale]).Constant<byte>("zero", [77])
            .Node("QuantizeLinear", ["x", "scale", "zero"], ["q"]).Node("Cast", ["q"], ["y"], ("to", 1)).ToArray();
        KernelHarness h = new();
        var y = h.Run<byte, QuantizeLinearArguments>(new()
        {
            YType = ModelElementType.UInt8, X = h.Input(x), Y = h.Output<byte>(x.Length), Extents = h.Extents(x.Length), XStrides = h.Strides(1),
            YStrides = h.Strides(1), Zero = h.N(77), Scale = scale,
        });
        Assert.Equal(Reference(model, x, x.Length), y.Select(v => (float)v));
    }

    [Theory]
    [InlineData(1, 64, 100)]
    [InlineData(9, 65, 33)]
    public void DenseInt8_is_QLinearMatMul(int m, int k, int n)
    {
        TestRandom random = new(m, k, n);
        var w = random.Weights(k * n, narrow: true);
        float[] weightScales = [.. random.Floats(n).Select(v => 0.01f + MathF.Abs(v) * 0.01f)];
        var quantized = random.Bytes(m * k);
        float[] x = [.. quantized.Select(v => (float)v)];
        const float inScale = 0.02f, outScale = 0.3f;
        var model = new OnnxWriter().Input("x", ModelElementType.Float, m, k).Output("y", ModelElementType.Float, m, n)
            .Constant<float>("xs", [inScale]).Constant<byte>("xz", [100]).Constant<sbyte>("w", w, k, n).Constant<float>("ws", weightScales, n)
                .Constant<sbyte>("wz", new sbyte[n], n)
            .Constant<float>("ys", [outScale]).Constant<byte>("yz", [120])
            .Node("Cast", ["x"], ["q"], ("to", 2)).Node("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["r"])
                .Node("Cast", ["r"], ["y"], ("to", 1)).ToArray();
        KernelHarness h = new();
        var y = h.Run<byte, DenseInt8Arguments>(new()
        {
            XType = ModelElementType.UInt8, YType = ModelElementType.UInt8, X = h.Input(quantized),
            W = h.Constant(Packings.DenseInt7, DenseInt8Packing.Pack(w, k, n)),
            Multiplier = h.Constant(Packings.Raw, weightScales.Select(s => inScale * s / outScale).ToArray()), Y = h.Output<byte>(m * n), M = h.N(m),
            K = h.N(k), N = h.N(n), XRow = h.N(k), YRow = h.N(n), Narrow = h.N(1), XZero = h.N(100), YZero = h.N(120), YMinimum = h.N(0), YMaximum = h.N(255),
        });
        Assert.Equal(Reference(model, x, m, k), y.Select(v => (float)v));
    }

    [Theory]
    [InlineData(1, 64, 100)]
    [InlineData(9, 65, 33)]
    public void DenseDynamicInt8_is_the_chain_of_dynamic_quantization(int m, int k, int n)
    {
        TestRandom random = new(m, k, n);
        var w = random.Weights(k * n, narrow: true);
        float[] x = random.Floats(m * k), bias = random.Floats(n), scale = [.. random.Floats(n).Select(v => 0.01f + MathF.Abs(v) * 0.01f)];
        var model = new OnnxWriter().Input("x", ModelElementType.Float, m, k).Output("y", ModelElementType.Float, m, n)
            .Constant<sbyte>("w", w, k, n).Constant<float>("ws", scale, n).Constant<sbyte>("wz", [0]).Constant<float>("b", bias, n)
            .Node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]).Node("MatMulInteger", ["q", "w", "z", "wz"], ["i"]).Node("Cast", ["i"], ["f"], ("to", 1))
            .Node("Mul", ["s", "ws"], ["t"]).Node("Mul", ["f", "t"], ["g"]).Node("Add", ["g", "b"], ["y"]).ToArray();
        KernelHarness h = new();
        Close(Reference(model, x, m, k), h.Run<float, DenseDynamicInt8Arguments>(new()
        {
            X = h.Input(x), W = h.Constant(Packings.DenseInt7, DenseInt8Packing.Pack(w, k, n)), Bias = h.Constant(Packings.Raw, bias),
            Scales = h.Constant(Packings.Raw, scale), Y = h.Output<float>(m * n), M = h.N(m), K = h.N(k), N = h.N(n), XRow = h.N(k), YRow = h.N(n),
            Narrow = h.N(1), Minimum = -None, Maximum = None,
        }));
    }

    /// <summary>What ONNX Runtime makes of a model with the input x and the output y.</summary>
    internal static float[] Reference(byte[] model, float[] x, params long[] shape)
    {
        using SessionOptions options = new() { IntraOpNumThreads = 1 };
        options.AddSessionConfigEntry("session.x64quantprecision", "1");
        using InferenceSession session = new(model, options);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x, shape);
        using RunOptions run = new();
        using var outputs = session.Run(run, ["x"], [input], ["y"]);
        return outputs.First().GetTensorDataAsSpan<float>().ToArray();
    }

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var most = expected.Max(MathF.Abs);
        for (var i = 0; i < expected.Length; i++) Assert.True(MathF.Abs(expected[i] - actual[i]) <= 1e-5f * most,
            $"element {i}: {expected[i]} and {actual[i]}");
    }
}
