using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.TestModels;

namespace ModelBuild.Benchmarks;

/// <summary>Networks of dense layers, written twice: as kernel calls and as an ONNX model.</summary>
internal static class Layers
{
    private const float None = float.PositiveInfinity;

    /// <summary>Float layers of these sizes with relu between them, and softmax at the end if asked for.</summary>
    public static Comparison Float(string name, int rows, int[] sizes, bool softmax)
    {
        Random random = new(1);
        OnnxWriter onnx = new OnnxWriter().Input("x", ModelElementType.Float, rows, sizes[0]).Output("y", ModelElementType.Float, rows, sizes[^1]);
        ProgramBuilder p = new("host", "benchmark");
        var m = p.Number(rows);
        Operand at = Port(p, m, sizes[0], input: true);
        var value = "x";
        var last = sizes.Length - 2;
        for (var i = 0; i <= last; i++)
        {
            int k = sizes[i], n = sizes[i + 1];
            float[] w = Floats(random, k * n, 1 / MathF.Sqrt(k)), b = Floats(random, n, 0.1f);
            bool end = i == last, relu = !end;
            var result = end && !softmax ? "y" : $"h{i}";
            onnx.Constant<float>($"w{i}", w, k, n).Constant<float>($"b{i}", b, n).Node("Gemm", [value, $"w{i}", $"b{i}"], [relu ? $"g{i}" : result]);
            if (relu) onnx.Node("Relu", [$"g{i}"], [result]);
            value = result;
            Operand y = end && !softmax ? Port(p, m, n, input: false) : p.AddBuffer(ModelElementType.Float, m, p.Number(n));
            p.AddCall(new DenseF32Arguments
            {
                X = at, W = p.AddConstant<float>(Packings.DenseF32, DenseF32Packing.Pack(w, k, n)), Bias = p.AddConstant<float>(Packings.Raw, b), Y = y, M = m,
                K = p.Number(k), N = p.Number(n), XRow = p.Number(k), YRow = p.Number(n), Minimum = relu ? 0 : -None, Maximum = None,
            }, $"fc{i}");
            at = y;
        }
        if (softmax)
        {
            onnx.Node("Softmax", [value], ["y"], ("axis", -1));
            p.AddCall(new SoftmaxArguments
            {
                X = at, Y = Port(p, m, sizes[^1], input: false), Rows = m, Length = p.Number(sizes[^1]), XRow = p.Number(sizes[^1]), YRow = p.Number(sizes[^1]), Logarithm = p.Number(0), Masked = p.Number(0),
            }, "softmax");
        }
        return Compare(name, rows, sizes, onnx, p, random);
    }

    /// <summary>Integer layers of these sizes between a quantization and a dequantization; weights of 8 bits, one scale per column.</summary>
    public static Comparison Integer(string name, int rows, int[] sizes, int bits = 8)
    {
        Random random = new(1);
        OnnxWriter onnx = new OnnxWriter().Input("x", ModelElementType.Float, rows, sizes[0]).Output("y", ModelElementType.Float, rows, sizes[^1])
            .Constant<float>("s", [0.01f]).Constant<byte>("z", [128]).Node("QuantizeLinear", ["x", "s", "z"], ["q"]);
        ProgramBuilder p = new("host", "benchmark");
        Size m = p.Number(rows), zero = p.Number(0), middle = p.Number(128);
        Operand x = Port(p, m, sizes[0], input: true), at = p.AddBuffer(ModelElementType.UInt8, m, p.Number(sizes[0]));
        p.AddCall(new QuantizeLinearArguments
        {
            YType = ModelElementType.UInt8, X = x, Y = at, Extents = Row(p, (long)rows * sizes[0], 1), XStrides = Row(p, 1, 0), YStrides = Row(p, 1, 0),
            Zero = middle, Scale = 0.01f,
        }, "quantize");
        var value = "q";
        for (var i = 0; i < sizes.Length - 1; i++)
        {
            int k = sizes[i], n = sizes[i + 1];
            var end = i == sizes.Length - 2;
            var bytes = new byte[k * n];
            random.NextBytes(bytes);
            var w = Array.ConvertAll(bytes, v => (sbyte)((sbyte)v >> (8 - bits)));
            float[] scales = [.. Enumerable.Range(0, n).Select(_ => (0.5f + random.NextSingle()) / (73 * MathF.Sqrt(k)))];
            float[] multiplier = [.. scales.Select(s => 0.01f * s / 0.01f)], toFloat = [.. scales.Select(s => 0.01f * s)];
            onnx.Constant<sbyte>($"w{i}", w, k, n).Constant<float>($"s{i}", scales, n).Constant<sbyte>($"z{i}", new sbyte[n], n)
                .Node("QLinearMatMul", [value, "s", "z", $"w{i}", $"s{i}", $"z{i}", "s", "z"], [$"h{i}"]);
            value = $"h{i}";
            Operand weights = p.AddConstant<byte>(DenseInt8Packing.PackingFor(w), DenseInt8Packing.Pack(w, k, n)),
                y = p.AddBuffer(ModelElementType.UInt8, m, p.Number(n));
            p.AddCall(new DenseInt8Arguments
            {
                XType = ModelElementType.UInt8, YType = ModelElementType.UInt8, X = at, W = weights, Multiplier = p.AddConstant<float>(Packings.Raw, multiplier),
                Y = y, M = m, K = p.Number(k), N = p.Number(n), XRow = p.Number(k), YRow = p.Number(n), Narrow = p.Number(8 - bits), XZero = middle, YZero = middle,
                YMinimum = zero, YMaximum = p.Number(255),
            }, $"fc{i}");
            at = y;
            if (!end) continue;
            onnx.Node("DequantizeLinear", [value, "s", "z"], ["y"]);
            p.AddCall(new DequantizeLinearArguments
            {
                XType = ModelElementType.UInt8, X = at, Y = Port(p, m, n, input: false), Extents = Row(p, (long)rows * n, 1), XStrides = Row(p, 1, 0),
                YStrides = Row(p, 1, 0), Zero = middle, Scale = 0.01f,
            }, "dequantize");
        }
        return Compare(name, rows, sizes, onnx, p, random);
    }

    /// <summary>Softmax alone.</summary>
    public static Comparison Softmax(int rows, int length)
    {
        OnnxWriter onnx = new OnnxWriter().Input("x", ModelElementType.Float, rows, length).Output("y", ModelElementType.Float, rows, length)
            .Node("Softmax", ["x"], ["y"], ("axis", -1));
        ProgramBuilder p = new("host", "benchmark");
        var m = p.Number(rows);
        p.AddCall(new SoftmaxArguments
        {
            X = Port(p, m, length, input: true), Y = Port(p, m, length, input: false), Rows = m, Length = p.Number(length), XRow = p.Number(length), YRow = p.Number(length), Logarithm = p.Number(0), Masked = p.Number(0),
        }, "softmax");
        return Compare($"{rows}x{length}", rows, [length, length], onnx, p, new Random(1));
    }

    private static Comparison Compare(string name, int rows, int[] sizes, OnnxWriter onnx, ProgramBuilder program, Random random)
    {
        var input = Floats(random, rows * sizes[0], 1);
        HandWritten theirs = new(onnx.ToArray(), input, [rows, sizes[0]], [rows, sizes[^1]]);
        Wrapped ours = new(Wrapped.Write(program), ManagedBackend.Instance, input, [rows, sizes[0]], [rows, sizes[^1]]);
        return new Comparison(name, ours.Call, theirs.Call, () => Difference(ours.Output, theirs.Output)).Owning(ours, theirs);
    }

    public static double Difference(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Abs((double)x - y)).Max() / Math.Max(b.Max(MathF.Abs), 1e-30);

    public static float[] Floats(Random random, int count, float size) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2 - 1) * size)];

    // One loop, and those around it.
    private static Loops Row(ProgramBuilder p, long inner, long outside)
    {
        var o = p.Number(outside);
        return new Loops { L0 = o, L1 = o, L2 = o, L3 = o, L4 = o, L5 = p.Number(inner) };
    }

    private static Operand Port(ProgramBuilder p, Size rows, int columns, bool input)
    {
        var n = p.Number(columns);
        Operand buffer = p.AddBuffer(ModelElementType.Float, rows, n);
        if (input) p.AddInput("x", buffer, rows, n);
        else p.AddOutput("y", buffer, rows, n);
        return buffer;
    }
}
