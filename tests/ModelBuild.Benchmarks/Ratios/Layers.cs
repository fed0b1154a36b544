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
        ProgramOperand at = Port(p, m, sizes[0], input: true);
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
            ProgramOperand y = end && !softmax ? Port(p, m, n, input: false) : p.AddBuffer(ModelElementType.Float, m, p.Number(n));
            p.AddCall(KernelIds.DenseF32, $"fc{i}",
                [at, p.AddConstant<float>(Packings.DenseF32, DenseF32Packing.Pack(w, k, n)), p.AddConstant<float>(Packings.Raw, b), y],
                [m, p.Number(k), p.Number(n)], relu ? 0 : -None, None);
            at = y;
        }
        if (softmax)
        {
            onnx.Node("Softmax", [value], ["y"], ("axis", -1));
            p.AddCall(KernelIds.Softmax, "softmax", [at, Port(p, m, sizes[^1], input: false)], [m, p.Number(sizes[^1])]);
        }
        return Compare(name, rows, sizes, onnx, p, random);
    }

    /// <summary>Integer layers of these sizes between a quantization and a dequantization; weights of 8 bits, one scale per column.</summary>
    public static Comparison Integer(string name, int rows, int[] sizes)
    {
        Random random = new(1);
        OnnxWriter onnx = new OnnxWriter().Input("x", ModelElementType.Float, rows, sizes[0]).Output("y", ModelElementType.Float, rows, sizes[^1])
            .Constant<float>("s", [0.01f]).Constant<byte>("z", [128]).Node("QuantizeLinear", ["x", "s", "z"], ["q"]);
        ProgramBuilder p = new("host", "benchmark");
        int m = p.Number(rows), zero = p.Number(0), middle = p.Number(128);
        ProgramOperand x = Port(p, m, sizes[0], input: true), at = p.AddBuffer(ModelElementType.UInt8, m, p.Number(sizes[0]));
        p.AddCall(KernelIds.QuantizeLinear, "quantize", [x, at], [p.Number((long)rows * sizes[0]), middle, zero], 0.01f);
        var value = "q";
        for (var i = 0; i < sizes.Length - 1; i++)
        {
            int k = sizes[i], n = sizes[i + 1];
            var end = i == sizes.Length - 2;
            var bytes = new byte[k * n];
            random.NextBytes(bytes);
            var w = Array.ConvertAll(bytes, v => (sbyte)v);
            float[] scales = [.. Enumerable.Range(0, n).Select(_ => (0.5f + random.NextSingle()) / (73 * MathF.Sqrt(k)))];
            float[] multiplier = [.. scales.Select(s => 0.01f * s / 0.01f)], toFloat = [.. scales.Select(s => 0.01f * s)];
            onnx.Constant<sbyte>($"w{i}", w, k, n).Constant<float>($"s{i}", scales, n).Constant<sbyte>($"z{i}", new sbyte[n], n)
                .Node("QLinearMatMul", [value, "s", "z", $"w{i}", $"s{i}", $"z{i}", "s", "z"], [$"h{i}"]);
            value = $"h{i}";
            ProgramOperand weights = p.AddConstant<byte>(Packings.DenseInt8, DenseInt8Packing.Pack(w, k, n)),
                y = p.AddBuffer(ModelElementType.UInt8, m, p.Number(n));
            p.AddCall(KernelIds.DenseInt8, $"fc{i}", [at, weights, ProgramOperand.Absent, p.AddConstant<float>(Packings.Raw, multiplier), y],
                [m, p.Number(k), p.Number(n), zero, zero, middle, zero, middle, zero, p.Number(255)]);
            at = y;
            if (!end) continue;
            onnx.Node("DequantizeLinear", [value, "s", "z"], ["y"]);
            p.AddCall(KernelIds.DequantizeLinear, "dequantize", [at, Port(p, m, n, input: false)], [p.Number((long)rows * n), middle, zero], 0.01f);
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
        p.AddCall(KernelIds.Softmax, "softmax", [Port(p, m, length, input: true), Port(p, m, length, input: false)], [m, p.Number(length)]);
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

    private static ProgramOperand Port(ProgramBuilder p, int rows, int columns, bool input)
    {
        var n = p.Number(columns);
        ProgramOperand buffer = p.AddBuffer(ModelElementType.Float, rows, n);
        if (input) p.AddInput("x", buffer, rows, n);
        else p.AddOutput("y", buffer, rows, n);
        return buffer;
    }
}
