using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ModelBuild.Kernels;
using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

/// <summary>What a case gave: how far floats are from plain loops, or the hash of integers, which plain loops must equal already.</summary>
internal sealed record CaseResult(double Error, double Tolerance, string Hash);

/// <summary>
/// Kernels against plain loops in double or exact integers. Sizes cover whole and partial panels, vectors and tiles. The same cases run in child processes with
/// instruction sets switched off. Tolerances: sums of floats, 2^-22 of the sum of absolute products; functions, as <c>VectorMath</c> states.
/// </summary>
internal static class KernelCases
{
    private const float None = float.PositiveInfinity;

    public static IEnumerable<(string Name, Func<CaseResult> Run)> All()
    {
        foreach ((var m, var k, var n) in new[] { (1, 1, 1), (1, 16, 32), (1, 3, 5), (1, 64, 10), (2, 7, 33), (3, 100, 48), (5, 32, 64), (6, 30, 17),
            (7, 65, 31), (8, 33, 40), (9, 12, 100), (13, 257, 96), (1, 784, 128), (17, 5, 16), (0, 4, 4), (4, 0, 7) })
        {
            yield return ($"DenseF32 {m}x{k}x{n}", () => DenseF32(m, k, n, bias: true, 0, 6));
            yield return ($"DenseF32 no bias {m}x{k}x{n}", () => DenseF32(m, k, n, bias: false, -None, None));
            foreach (var narrow in new[] { false, true })
            {
                foreach (var signed in new[] { false, true })
                {
                    yield return ($"DenseInt8 signed {signed} narrow {narrow} {m}x{k}x{n}", () => DenseInt8(m, k, n, signed, narrow, relu: m % 2 == 0));
                    yield return ($"DenseInt8ToF32 signed {signed} narrow {narrow} {m}x{k}x{n}", () => DenseInt8ToF32(m, k, n, signed, narrow));
                }
                yield return ($"DenseDynamicInt8 narrow {narrow} {m}x{k}x{n}", () => DenseDynamicInt8(m, k, n, narrow));
            }
            yield return ($"MatMulF32 {m}x{k}x{n}", () => MatMul(3, m, k, n, batched: true));
            yield return ($"MatMulF32 shared {m}x{k}x{n}", () => MatMul(2, m, k, n, batched: false));
            yield return ($"Softmax {m}x{n}", () => Softmax(m, n));
            foreach (var layout in Enum.GetValues<BinaryLayout>())
                yield return ($"Binary {layout} {m}x{n}", () => Binary(m, n, layout));
        }
        yield return ("DenseInt8 extremes", Extremes);
        yield return ("Not a number", NotANumber);
        foreach (var count in new[] { 1, 7, 16, 31, 64, 1000 })
        {
            foreach (var signed in new[] { false, true })
            {
                yield return ($"QuantizeLinear signed {signed} {count}", () => Quantize(count, signed));
                yield return ($"DequantizeLinear signed {signed} {count}", () => Dequantize(count, signed));
            }
            yield return ($"Clamp {count}", () => Clamp(count));
            foreach (var operation in Enum.GetValues<UnaryOperation>())
                yield return ($"{operation} {count}", () => Unary(operation, count));
            yield return ($"Copy {count}", () => Copy(count));
        }
    }

    private static CaseResult DenseF32(int m, int k, int n, bool bias, float minimum, float maximum)
    {
        TestRandom random = new(m, k, n);
        float[] x = random.Floats(m * k), w = random.Floats(k * n), b = random.Floats(n);
        KernelHarness h = new();
        var y = h.Run<float>(KernelIds.DenseF32,
            [h.Input(x), h.Constant(Packings.DenseF32, DenseF32Packing.Pack(w, k, n)), bias ? h.Constant(Packings.Raw, b) : ProgramOperand.Absent,
                h.Output<float>(m * n)], [m, k, n], minimum, maximum);
        Assert.Equal(DenseF32Packing.Pack(w, k, n), DenseF32Packing.Pack(Transpose(w, k, n), k, n, transposed: true));
        return Sums(m, k, n, y, (r, c) => bias ? b[c] : 0, (r, i) => x[r * k + i], (i, c) => w[i * n + c], minimum, maximum);
    }

    private static CaseResult MatMul(int batch, int m, int k, int n, bool batched)
    {
        TestRandom random = new(m, k, n);
        float[] a = random.Floats(batch * m * k), b = random.Floats((batched ? batch : 1) * k * n);
        KernelHarness h = new();
        var y = h.Run<float>(KernelIds.MatMulF32,
            [h.Input(a), h.Input(b), h.Scratch<float>(k * ((n + 15) / 16 * 16)), h.Output<float>(batch * m * n)], [batch, m, k, n, batched ? 1 : 0]);
        return Sums(batch * m, k, n, y, (_, _) => 0, (r, i) => a[r * k + i], null, -None, None,
            (r, i, c) => b[(batched ? r / Math.Max(m, 1) * k * n : 0) + i * n + c]);
    }

    private static CaseResult Sums(int m, int k, int n, float[] y, Func<int, int, double> start, Func<int, int, double> x, Func<int, int, double>? w,
        double minimum, double maximum, Func<int, int, int, double>? wOfRow = null)
    {
        double worst = 0;
        for (var r = 0; r < m; r++)
            for (var c = 0; c < n; c++)
            {
                double sum = start(r, c), size = Math.Abs(sum);
                for (var i = 0; i < k; i++)
                {
                    var product = x(r, i) * (w is not null ? w(i, c) : wOfRow!(r, i, c));
                    sum += product;
                    size += Math.Abs(product);
                }
                worst = Math.Max(worst, Math.Abs(y[r * n + c] - Math.Clamp(sum, minimum, maximum)) / Math.Max(size, 1e-30));
            }
        return new CaseResult(worst, 1.0 / (1 << 22), "");
    }

    private static CaseResult DenseInt8(int m, int k, int n, bool signed, bool narrow, bool relu)
    {
        TestRandom random = new(m, k, n);
        var w = random.Weights(k * n, narrow);
        int[] bias = [.. random.Floats(n).Select(v => (int)(v * 1000))];
        float[] multiplier = [.. random.Floats(n).Select(v => 0.001f + Math.Abs(v) * 0.003f)];
        int xZero = signed ? -7 : 119, yZero = signed ? 5 : 130;
        int lowest = relu ? yZero : signed ? -128 : 0, highest = signed ? 127 : 255;
        KernelHarness h = new();
        var x = random.Bytes(m * k);
        var y = signed
            ? [.. h.Run<sbyte>(KernelIds.DenseInt8, Operands(h.Input(Array.ConvertAll(x, v => (sbyte)v)), h.Output<sbyte>(m * n)), Integers())
                .Select(v => (byte)v)]
            : h.Run<byte>(KernelIds.DenseInt8, Operands(h.Input(x), h.Output<byte>(m * n)), Integers());
        var expected = new byte[m * n];
        for (var r = 0; r < m; r++)
            for (var c = 0; c < n; c++)
            {
                var sum = bias[c];
                for (var i = 0; i < k; i++) sum += ((signed ? (sbyte)x[r * k + i] : x[r * k + i]) - xZero) * w[i * n + c];
                expected[r * n + c] = (byte)Math.Clamp((long)MathF.Round(sum * multiplier[c], MidpointRounding.ToEven) + yZero, lowest, highest);
            }
        Assert.Equal(expected, y);
        return new CaseResult(0, 0, HashOf(y));

        ProgramOperand[] Operands(ProgramOperand input, ProgramOperand output) =>
            [input, h.Constant(narrow ? Packings.DenseInt7 : Packings.DenseInt8, DenseInt8Packing.Pack(w, k, n)), h.Constant(Packings.Raw, bias),
            h.Constant(Packings.Raw, multiplier), output];
        long[] Integers() => [m, k, n, narrow ? 1 : 0, signed ? 1 : 0, xZero, signed ? 1 : 0, yZero, lowest, highest];
    }

    // The largest products there are: a path whose pairs of products saturate in 16 bits fails here.
    private static CaseResult Extremes()
    {
        const int k = 64, n = 20;
        sbyte[] w = [.. Enumerable.Range(0, k * n).Select(i => i % n < 10 ? (sbyte)127 : (sbyte)-128)];
        float[] one = [.. Enumerable.Repeat(1f, n)];
        KernelHarness h = new();
        byte[] x = [.. Enumerable.Repeat((byte)255, 2 * k)];
        var y = h.Run<float>(KernelIds.DenseInt8ToF32,
            [h.Input(x), h.Constant(Packings.DenseInt8, DenseInt8Packing.Pack(w, k, n)), ProgramOperand.Absent, h.Constant(Packings.Raw, one),
                h.Output<float>(2 * n)], [2, k, n, 0, 0, 0], -None, None);
        Assert.Equal(Enumerable.Range(0, 2 * n).Select(i => 255f * k * (i % n < 10 ? 127 : -128)), y);
        return new CaseResult(0, 0, HashOf(y));
    }

    // One value that is none makes its whole row of softmax none, wherever it stands, and only itself elsewhere.
    private static CaseResult NotANumber()
    {
        foreach (var length in new[] { 1, 5, 16, 40, 100 })
        {
            for (var at = 0; at < length; at++)
            {
                var x = new float[2 * length];
                x[at] = float.NaN;
                KernelHarness softmax = new(), sigmoid = new(), tanh = new(), clamp = new();
                Assert.Equal(x.Select((_, i) => i < length), softmax.Run<float>(KernelIds.Softmax, [softmax.Input(x), softmax.Output<float>(x.Length)],
                    [2, length]).Select(float.IsNaN));
                Assert.Equal(x.Select(float.IsNaN), sigmoid.Run<float>(KernelIds.Unary, [sigmoid.Input(x), sigmoid.Output<float>(x.Length)],
                    [(int)UnaryOperation.Sigmoid, x.Length], 0, 0).Select(float.IsNaN));
                Assert.Equal(x.Select(float.IsNaN),
                    tanh.Run<float>(KernelIds.Unary, [tanh.Input(x), tanh.Output<float>(x.Length)], [(int)UnaryOperation.Tanh, x.Length], 0, 0)
                    .Select(float.IsNaN));
                Assert.Equal(x.Select(float.IsNaN), clamp.Run<float>(KernelIds.Clamp, [clamp.Input(x), clamp.Output<float>(x.Length)], [x.Length], -1, 1)
                    .Select(float.IsNaN));
            }
        }
        return new CaseResult(0, 0, "");
    }

    private static CaseResult DenseInt8ToF32(int m, int k, int n, bool signed, bool narrow)
    {
        TestRandom random = new(m, k, n);
        var w = random.Weights(k * n, narrow);
        float[] bias = random.Floats(n), multiplier = [.. random.Floats(n).Select(v => 0.01f + Math.Abs(v) * 0.01f)];
        var xZero = signed ? 3 : 128;
        var x = random.Bytes(m * k);
        KernelHarness h = new();
        var y = h.Run<float>(KernelIds.DenseInt8ToF32,
            [signed ? h.Input(Array.ConvertAll(x, v => (sbyte)v)) : h.Input(x),
                h.Constant(narrow ? Packings.DenseInt7 : Packings.DenseInt8, DenseInt8Packing.Pack(Transpose(w, k, n), k, n, transposed: true)),
             h.Constant(Packings.Raw, bias), h.Constant(Packings.Raw, multiplier), h.Output<float>(m * n)], [m, k, n, narrow ? 1 : 0, signed ? 1 : 0, xZero],
                 0, None);
        var expected = new float[m * n];
        for (var r = 0; r < m; r++)
            for (var c = 0; c < n; c++)
            {
                var sum = 0;
                for (var i = 0; i < k; i++) sum += ((signed ? (sbyte)x[r * k + i] : x[r * k + i]) - xZero) * w[i * n + c];
                var scaled = sum * multiplier[c];
                expected[r * n + c] = MathF.Max(scaled + bias[c], 0);
            }
        Assert.Equal(expected, y);
        return new CaseResult(0, 0, HashOf(y));
    }

    private static CaseResult DenseDynamicInt8(int m, int k, int n, bool narrow)
    {
        TestRandom random = new(m, k, n);
        var w = random.Weights(k * n, narrow);
        float[] x = random.Floats(m * k), bias = random.Floats(n), scale = [.. random.Floats(n).Select(v => 0.01f + Math.Abs(v) * 0.01f)];
        KernelHarness h = new();
        var y = h.Run<float>(KernelIds.DenseDynamicInt8,
            [h.Input(x), h.Scratch<byte>(m * k), h.Constant(narrow ? Packings.DenseInt7 : Packings.DenseInt8, DenseInt8Packing.Pack(w, k, n)),
                h.Constant(Packings.Raw, bias), h.Constant(Packings.Raw, scale), h.Output<float>(m * n)],
            [m, k, n, narrow ? 1 : 0], -None, None);
        float low = Math.Min(0, x.DefaultIfEmpty().Min()), high = Math.Max(0, x.DefaultIfEmpty().Max()), step = low == high ? 1 : (high - low) / 255;
        var zero = (int)Math.Clamp(MathF.Round(-low / step), 0, 255);
        var expected = new float[m * n];
        for (var r = 0; r < m; r++)
            for (var c = 0; c < n; c++)
            {
                var sum = 0;
                for (var i = 0; i < k; i++) sum += ((int)Math.Clamp(MathF.Round(x[r * k + i] / step) + zero, 0, 255) - zero) * w[i * n + c];
                float factor = scale[c] * step, scaled = sum * factor;
                expected[r * n + c] = scaled + bias[c];
            }
        Assert.Equal(expected, y);
        return new CaseResult(0, 0, HashOf(y));
    }

    private static CaseResult Softmax(int rows, int length)
    {
        float[] x = [.. new TestRandom(rows, length, 1).Floats(rows * length).Select(v => v * 20 + 100)];
        KernelHarness h = new();
        var y = h.Run<float>(KernelIds.Softmax, [h.Input(x), h.Output<float>(rows * length)], [rows, length]);
        double worst = 0;
        for (var r = 0; r < rows; r++)
        {
            double most = x.Skip(r * length).Take(length).Max(), total = x.Skip(r * length).Take(length).Sum(v => Math.Exp(v - most));
            for (var i = 0; i < length; i++) worst = Math.Max(worst, Math.Abs(y[r * length + i] - Math.Exp(x[r * length + i] - most) / total));
        }
        return new CaseResult(worst, 1e-6, "");
    }

    private static CaseResult Binary(int rows, int length, BinaryLayout layout)
    {
        TestRandom random = new(rows, length, 2);
        var a = random.Floats(rows * length);
        var b = random.Floats(layout switch { BinaryLayout.Same => rows * length, BinaryLayout.Row => length, BinaryLayout.Scalar => 1, _ => rows });
        foreach (var operation in Enum.GetValues<BinaryOperation>())
        {
            float[] expected = [.. a.Select((v, i) =>
                Math.Clamp(Apply(operation, v,
                b[layout switch { BinaryLayout.Same => i, BinaryLayout.Row => i % length, BinaryLayout.Scalar => 0, _ => i / length }]), -2, 3))];
            long[] integers = [(int)operation, (int)layout, rows, length];
            KernelHarness h = new(), constant = new();
            Assert.Equal(expected, h.Run<float>(KernelIds.Binary, [h.Input(a), h.Input(b), h.Output<float>(a.Length)], integers, -2, 3));
            Assert.Equal(expected, constant.Run<float>(KernelIds.Binary,
                [constant.Input(a), constant.Constant(Packings.Raw, b), constant.Output<float>(a.Length)], integers, -2, 3));
        }
        return new CaseResult(0, 0, "");

        static float Apply(BinaryOperation operation, float a, float b) => operation switch
        {
            BinaryOperation.Add => a + b,
            BinaryOperation.Subtract => a - b,
            BinaryOperation.Multiply => a * b,
            BinaryOperation.Divide => a / b,
            BinaryOperation.SubtractFrom => b - a,
            BinaryOperation.DivideInto => b / a,
            BinaryOperation.Minimum => Math.Min(a, b),
            _ => Math.Max(a, b),
        };
    }

    private static CaseResult Quantize(int count, bool signed)
    {
        // Ties, values far outside, and what random numbers give.
        float[] x = [.. new TestRandom(count, 3, 3).Floats(count).Select((v, i) => (i % 5) switch { 0 => 0.5f * (i - 20), 1 => v * 1e9f, _ => v * 100 })];
        int zero = signed ? -3 : 100, lowest = signed ? -128 : 0;
        const float scale = 0.25f;
        KernelHarness h = new();
        var y = signed
            ? [.. h.Run<sbyte>(KernelIds.QuantizeLinear, [h.Input(x), h.Output<sbyte>(count)], [count, zero, 1], scale).Select(v => (byte)v)]
            : h.Run<byte>(KernelIds.QuantizeLinear, [h.Input(x), h.Output<byte>(count)], [count, zero, 0], scale);
        Assert.Equal(x.Select(v => (byte)(int)Math.Clamp(Math.Round((double)(v / scale), MidpointRounding.ToEven) + zero, lowest, lowest + 255)), y);
        return new CaseResult(0, 0, HashOf(y));
    }

    private static CaseResult Dequantize(int count, bool signed)
    {
        var x = new TestRandom(count, 4, 4).Bytes(count);
        var zero = signed ? -3 : 100;
        KernelHarness h = new();
        var y = h.Run<float>(KernelIds.DequantizeLinear, [signed ? h.Input(Array.ConvertAll(x, v => (sbyte)v)) : h.Input(x), h.Output<float>(count)],
            [count, zero, signed ? 1 : 0], 0.1f);
        Assert.Equal(x.Select(v => ((signed ? (sbyte)v : v) - zero) * 0.1f), y);
        return new CaseResult(0, 0, HashOf(y));
    }

    private static CaseResult Clamp(int count)
    {
        float[] x = [.. new TestRandom(count, 5, 5).Floats(count).Select(v => v * 4)];
        KernelHarness h = new();
        Assert.Equal(x.Select(v => Math.Clamp(v, -1.5f, 2.5f)), h.Run<float>(KernelIds.Clamp, [h.Input(x), h.Output<float>(count)], [count], -1.5f, 2.5f));
        return new CaseResult(0, 0, "");
    }

    // The error is relative above 1 and absolute below.
    private static CaseResult Unary(UnaryOperation operation, int count)
    {
        const float alpha = 0.3f, beta = 0.4f;
        float[] x = [.. new TestRandom(count, 5, (int)operation).Floats(count).Select((v, i) => (i % 8) switch { 0 => v * 80, 1 => v * 0.001f, _ => v * 4 })];
        if (operation == UnaryOperation.Sqrt) x = Array.ConvertAll(x, MathF.Abs);
        KernelHarness h = new();
        var y = h.Run<float>(KernelIds.Unary, [h.Input(x), h.Output<float>(count)], [(int)operation, count], alpha, beta);
        return new CaseResult(x.Select((v, i) => Expected(v) is var e ? Math.Abs(y[i] - e) / Math.Max(1, Math.Abs(e)) : 0).Max(), 6e-7, "");

        double Expected(double v) => operation switch
        {
            UnaryOperation.Sigmoid => 1 / (1 + Math.Exp(-v)),
            UnaryOperation.Tanh => Math.Tanh(v),
            UnaryOperation.Exp => Math.Exp(v),
            UnaryOperation.Negate => -v,
            UnaryOperation.Abs => Math.Abs(v),
            UnaryOperation.Sqrt => Math.Sqrt(v),
            UnaryOperation.Reciprocal => 1 / v,
            UnaryOperation.LeakyRelu => v < 0 ? alpha * v : v,
            UnaryOperation.Elu => v < 0 ? alpha * (Math.Exp(v) - 1) : v,
            UnaryOperation.HardSigmoid => Math.Clamp((double)alpha * v + beta, 0, 1),
            UnaryOperation.HardSwish => v * Math.Clamp(v / 6 + 0.5, 0, 1),
            UnaryOperation.Silu => v / (1 + Math.Exp(-v)),
            UnaryOperation.Erf => Erf(v),
            _ => v * (1 + Erf(v / Math.Sqrt(2))) / 2,
        };

        // The Taylor series, which converges everywhere; from 5 on the function is 1 in double.
        static double Erf(double v)
        {
            if (Math.Abs(v) > 5) return Math.Sign(v);
            double sum = 0, term = v;
            for (var n = 0; n < 200; n++)
            {
                sum += term / (2 * n + 1);
                term *= -v * v / (n + 1);
            }
            return 2 / Math.Sqrt(Math.PI) * sum;
        }
    }

    private static CaseResult Copy(int count)
    {
        var x = new TestRandom(count, 7, 7).Floats(count);
        KernelHarness h = new();
        Assert.Equal(x, h.Run<float>(KernelIds.Copy, [h.Input(x), h.Output<float>(count)], [count * 4]));
        return new CaseResult(0, 0, "");
    }

    private static T[] Transpose<T>(T[] w, int k, int n) => [.. Enumerable.Range(0, k * n).Select(i => w[i % k * n + i / k])];

    private static string HashOf<T>(T[] values) where T : unmanaged => Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())))[..16];
}

/// <summary>The same numbers on every run and machine.</summary>
internal sealed class TestRandom(int a, int b, int c)
{
    private ulong _state = (ulong)(a * 73856093L ^ b * 19349663L ^ c * 83492791L) | 1;

    public float[] Floats(int count) => [.. Enumerable.Range(0, count).Select(_ => (int)(Next() % 2_000_001) / 1e6f - 1)];

    public byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(_ => (byte)Next())];

    /// <summary>All weights there are, or those that 7 bits hold.</summary>
    public sbyte[] Weights(int count, bool narrow) =>
        [.. Enumerable.Range(0, count).Select(_ => narrow ? (sbyte)((int)(Next() % 129) - 64) : (sbyte)(byte)Next())];

    private uint Next()
    {
        _state = _state * 6364136223846793005 + 1442695040888963407;
        return (uint)(_state >> 33);
    }
}
