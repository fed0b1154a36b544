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
        List<(string, Func<CaseResult>)> cases = [];
        foreach ((var m, var k, var n) in new[] { (1, 1, 1), (1, 16, 32), (1, 3, 5), (1, 64, 10), (2, 7, 33), (3, 100, 48), (5, 32, 64), (6, 30, 17),
            (7, 65, 31), (8, 33, 40), (9, 12, 100), (13, 257, 96), (1, 784, 128), (17, 5, 16), (0, 4, 4), (4, 0, 7), (150, 20, 40) })
        {
            Add(DenseF32Arguments.Kernel, $"{m}x{k}x{n}", () => DenseF32(m, k, n, bias: true, 0, 6));
            Add(DenseF32Arguments.Kernel, $"no bias {m}x{k}x{n}", () => DenseF32(m, k, n, bias: false, -None, None));
            foreach (var narrow in new[] { false, true })
            {
                foreach (var signed in new[] { false, true })
                {
                    Add(DenseInt8Arguments.Kernel, $"signed {signed} narrow {narrow} {m}x{k}x{n}", () => DenseInt8(m, k, n, signed, narrow, relu: m % 2 == 0));
                    Add(DenseInt8ToF32Arguments.Kernel, $"signed {signed} narrow {narrow} {m}x{k}x{n}", () => DenseInt8ToF32(m, k, n, signed, narrow));
                }
                Add(DenseDynamicInt8Arguments.Kernel, $"narrow {narrow} {m}x{k}x{n}", () => DenseDynamicInt8(m, k, n, narrow));
            }
            Add(MatMulF32Arguments.Kernel, $"{m}x{k}x{n}", () => MatMul(3, m, k, n, batched: true, transposed: false));
            Add(MatMulF32Arguments.Kernel, $"transposed {m}x{k}x{n}", () => MatMul(3, m, k, n, batched: true, transposed: true));
            Add(MatMulF32Arguments.Kernel, $"shared {m}x{k}x{n}", () => MatMul(2, m, k, n, batched: false, transposed: false));
            Add(SoftmaxArguments.Kernel, $"{m}x{n}", () => Softmax(m, n, logarithm: false));
            Add(SoftmaxArguments.Kernel, $"logarithm {m}x{n}", () => Softmax(m, n, logarithm: true));
            foreach (var layout in Enum.GetValues<BinaryLayout>())
                Add(BinaryArguments.Kernel, $"{layout} {m}x{n}", () => Binary(m, n, layout));
        }
        Add(DenseInt8ToF32Arguments.Kernel, "extremes", Extremes);
        Add(SoftmaxArguments.Kernel, "not a number", NotANumber);
        for (var length = 1; length <= 9; length++)
        {
            var n = length;
            Add(SoftmaxArguments.Kernel, $"short rows 37x{n}", () => Softmax(37, n, logarithm: false));
        }
        foreach (var count in new[] { 1, 7, 16, 31, 64, 1000, 20000 })
        {
            foreach (var signed in new[] { false, true })
            {
                foreach (var step in new[] { 1, 3 })
                {
                    Add(QuantizeLinearArguments.Kernel, $"signed {signed} {count} by {step}", () => Quantize(count, signed, step));
                    Add(DequantizeLinearArguments.Kernel, $"signed {signed} {count} by {step}", () => Dequantize(count, signed, step));
                }
            }
            foreach (var operation in Enum.GetValues<UnaryOperation>().Distinct())
                Add(UnaryArguments.Kernel, $"{operation} {count}", () => Unary(operation, count, 1));
            Add(UnaryArguments.Kernel, $"by 3 {count}", () => Unary(UnaryOperation.Tanh, count, 3));
            foreach (var operation in new[] { BinaryOperation.Add, BinaryOperation.Divide, BinaryOperation.Modulo, BinaryOperation.Remainder, BinaryOperation.PRelu,
                BinaryOperation.And, BinaryOperation.Xor, BinaryOperation.Maximum })
                Add(BinaryArguments.Kernel, $"integers {operation} {count}", () => Integers(count, operation));
        }
        Add(CopyArguments.Kernel, "bytes", () => Copy<byte>(static i => (byte)i));
        Add(CopyArguments.Kernel, "halves", () => Copy<ushort>(static i => (ushort)i));
        Add(CopyArguments.Kernel, "floats", () => Copy<float>(static i => i));
        Add(CopyArguments.Kernel, "longs", () => Copy<long>(static i => i));
        foreach (var channels in new[] { 2, 3, 4, 5 })
        {
            Add(CopyArguments.Kernel, $"planes to pixels {channels}", () => Interleave(channels, 100, join: true));
            Add(CopyArguments.Kernel, $"pixels to planes {channels}", () => Interleave(channels, 9000, join: false));
            Add(CopyArguments.Kernel, $"long planes to pixels {channels}", () => Interleave(channels, 9001, join: true));
        }
        Add(BorderArguments.Kernel, "all sides", () => Border(1, 2, 3, 4));
        Add(BorderArguments.Kernel, "top alone", () => Border(2, 0, 0, 0));
        Add(BorderArguments.Kernel, "right alone", () => Border(0, 0, 0, 1));
        ConvolutionCases.AddTo(Add);
        PoolCases.AddTo(Add);
        ConvolutionTransposeCases.AddTo(Add);
        ByteImageCases.AddTo(Add);
        RecurrentCases.AddTo(Add);
        return cases;

        void Add(Kernel kernel, string name, Func<CaseResult> run)
        {
            foreach (var variant in kernel.VariantNames)
            {
                cases.Add(($"{kernel.Name} {name} [{variant}]", () =>
                {
                    KernelHarness.Variant = variant;
                    try
                    {
                        return run();
                    }
                    finally
                    {
                        KernelHarness.Variant = null;
                    }
                }));
            }
        }
    }

    /// <summary>How the second operand meets the first, [rows, length].</summary>
    private enum BinaryLayout
    {
        Same,
        Row,
        Scalar,
        Column,
    }

    private static CaseResult DenseF32(int m, int k, int n, bool bias, float minimum, float maximum)
    {
        TestRandom random = new(m, k, n);
        float[] x = random.Floats(m * (k + 3)), w = random.Floats(k * n), b = random.Floats(n);
        KernelHarness h = new();
        var y = h.Run<float, DenseF32Arguments>(new()
        {
            X = h.Input(x), W = h.Constant(Packings.DenseF32, DenseF32Packing.Pack(w, k, n)), Bias = bias ? h.Constant(Packings.Raw, b) : Operand.Absent,
            Y = h.Output<float>(m * (n + 5)), M = h.N(m), K = h.N(k), N = h.N(n), XRow = h.N(k + 3), YRow = h.N(n + 5), Minimum = minimum, Maximum = maximum,
        });
        Assert.Equal(DenseF32Packing.Pack(w, k, n), DenseF32Packing.Pack(Transpose(w, k, n), k, n, transposed: true));
        // Nothing is written between rows.
        for (var i = 0; i < y.Length; i++) Assert.True(i % (n + 5) < n || y[i] == 0, $"element {i}");
        return Sums(m, k, n, [.. y.Where((_, i) => i % (n + 5) < n)], (r, c) => bias ? b[c] : 0, (r, i) => x[r * (k + 3) + i], (i, c) => w[i * n + c], minimum,
            maximum);
    }

    private static CaseResult MatMul(int batch, int m, int k, int n, bool batched, bool transposed)
    {
        TestRandom random = new(m, k, n);
        float[] a = random.Floats(batch * m * k), b = random.Floats((batched ? batch : 1) * k * n);
        KernelHarness h = new();
        var y = h.Run<float, MatMulF32Arguments>(new()
        {
            A = h.Input(a), B = h.Input(b), Y = h.Output<float>(batch * m * n), Outer = h.N(1), Inner = h.N(batch), M = h.N(m), K = h.N(k), N = h.N(n),
            AOuter = h.N(0), AInner = h.N(m * k), BOuter = h.N(0), BInner = h.N(batched ? k * n : 0), YOuter = h.N(0), YInner = h.N(m * n), ARow = h.N(k),
            YRow = h.N(n), BRow = h.N(transposed ? 1 : n), BColumn = h.N(transposed ? k : 1), Scale = 0.5f,
        });
        return Sums(batch * m, k, n, y, (_, _) => 0, (r, i) => a[r * k + i], null, -None, None,
            (r, i, c) => 0.5 * b[(batched ? r / Math.Max(m, 1) * k * n : 0) + (transposed ? c * k + i : i * n + c)]);
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
        var x = random.Bytes(m * k);
        var y = signed ? [.. Run<sbyte>(h => h.Input(Array.ConvertAll(x, v => (sbyte)v))).Select(v => (byte)v)] : Run<byte>(h => h.Input(x));
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

        T[] Run<T>(Func<KernelHarness, Operand> input) where T : unmanaged
        {
            KernelHarness h = new();
            var type = signed ? ModelElementType.Int8 : ModelElementType.UInt8;
            return h.Run<T, DenseInt8Arguments>(new()
            {
                XType = type, YType = type, X = input(h), W = h.Constant(narrow ? Packings.DenseInt7 : Packings.DenseInt8, DenseInt8Packing.Pack(w, k, n)),
                Bias = h.Constant(Packings.Raw, bias), Multiplier = h.Constant(Packings.Raw, multiplier), Y = h.Output<T>(m * n), M = h.N(m), K = h.N(k),
                N = h.N(n), XRow = h.N(k), YRow = h.N(n), Narrow = h.N(narrow ? 1 : 0), XZero = h.N(xZero), YZero = h.N(yZero), YMinimum = h.N(lowest),
                YMaximum = h.N(highest),
            });
        }
    }

    // The largest products there are: a path whose pairs of products saturate in 16 bits fails here.
    private static CaseResult Extremes()
    {
        const int k = 64, n = 20;
        sbyte[] w = [.. Enumerable.Range(0, k * n).Select(i => i % n < 10 ? (sbyte)127 : (sbyte)-128)];
        float[] one = [.. Enumerable.Repeat(1f, n)];
        KernelHarness h = new();
        byte[] x = [.. Enumerable.Repeat((byte)255, 2 * k)];
        var y = h.Run<float, DenseInt8ToF32Arguments>(new()
        {
            XType = ModelElementType.UInt8, X = h.Input(x), W = h.Constant(Packings.DenseInt8, DenseInt8Packing.Pack(w, k, n)),
            Multiplier = h.Constant(Packings.Raw, one), Y = h.Output<float>(2 * n), M = h.N(2), K = h.N(k), N = h.N(n), XRow = h.N(k), YRow = h.N(n),
            Narrow = h.N(0), XZero = h.N(0), Minimum = -None, Maximum = None,
        });
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
                Assert.Equal(x.Select((_, i) => i < length), Softmax(x, 2, length, false).Select(float.IsNaN));
                var variant = KernelHarness.Variant;
                KernelHarness.Variant = null;
                foreach (var operation in new[] { UnaryOperation.Sigmoid, UnaryOperation.Tanh, UnaryOperation.Clamp })
                    Assert.Equal(x.Select(float.IsNaN), Unary(operation, x, 1, -1, 1).Select(float.IsNaN));
                KernelHarness.Variant = variant;
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
        var y = h.Run<float, DenseInt8ToF32Arguments>(new()
        {
            XType = signed ? ModelElementType.Int8 : ModelElementType.UInt8, X = signed ? h.Input(Array.ConvertAll(x, v => (sbyte)v)) : h.Input(x),
            W = h.Constant(narrow ? Packings.DenseInt7 : Packings.DenseInt8, DenseInt8Packing.Pack(Transpose(w, k, n), k, n, transposed: true)),
            Bias = h.Constant(Packings.Raw, bias), Multiplier = h.Constant(Packings.Raw, multiplier), Y = h.Output<float>(m * n), M = h.N(m), K = h.N(k),
            N = h.N(n), XRow = h.N(k), YRow = h.N(n), Narrow = h.N(narrow ? 1 : 0), XZero = h.N(xZero), Minimum = 0, Maximum = None,
        });
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
        var y = h.Run<float, DenseDynamicInt8Arguments>(new()
        {
            X = h.Input(x), W = h.Constant(narrow ? Packings.DenseInt7 : Packings.DenseInt8, DenseInt8Packing.Pack(w, k, n)),
            Bias = h.Constant(Packings.Raw, bias), Scales = h.Constant(Packings.Raw, scale), Y = h.Output<float>(m * n), M = h.N(m), K = h.N(k), N = h.N(n),
            XRow = h.N(k), YRow = h.N(n), Narrow = h.N(narrow ? 1 : 0), Minimum = -None, Maximum = None,
        });
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

    private static CaseResult Softmax(int rows, int length, bool logarithm)
    {
        float[] x = [.. new TestRandom(rows, length, 1).Floats(rows * length).Select(v => v * 20 + 100)];
        var y = Softmax(x, rows, length, logarithm);
        double worst = 0;
        for (var r = 0; r < rows; r++)
        {
            double most = x.Skip(r * length).Take(length).Max(), total = x.Skip(r * length).Take(length).Sum(v => Math.Exp(v - most));
            for (var i = 0; i < length; i++)
            {
                var expected = logarithm ? x[r * length + i] - most - Math.Log(total) : Math.Exp(x[r * length + i] - most) / total;
                worst = Math.Max(worst, Math.Abs(y[r * length + i] - expected) / Math.Max(1, Math.Abs(expected)));
            }
        }
        return new CaseResult(worst, 1e-6, "");
    }

    private static float[] Softmax(float[] x, int rows, int length, bool logarithm)
    {
        KernelHarness h = new();
        return h.Run<float, SoftmaxArguments>(new()
        {
            X = h.Input(x), Y = h.Output<float>(rows * length), Rows = h.N(rows), Length = h.N(length), XRow = h.N(length), YRow = h.N(length),
            Logarithm = h.N(logarithm ? 1 : 0), Masked = h.N(0),
        });
    }

    private static CaseResult Binary(int rows, int length, BinaryLayout layout)
    {
        TestRandom random = new(rows, length, 2);
        var a = random.Floats(rows * length);
        var b = random.Floats(layout switch { BinaryLayout.Same => rows * length, BinaryLayout.Row => length, BinaryLayout.Scalar => 1, _ => rows });
        foreach (var operation in Enum.GetValues<BinaryOperation>().Where(o => o < BinaryOperation.And).Distinct())
        {
            // Powers are of what is not negative.
            var left = operation == BinaryOperation.Power ? [.. a.Select(MathF.Abs)] : a;
            float[] expected = [.. left.Select((v, i) =>
                Math.Clamp(Apply(operation, v,
                b[layout switch { BinaryLayout.Same => i, BinaryLayout.Row => i % length, BinaryLayout.Scalar => 0, _ => i / length }]), -2, 3))];
            foreach (var constant in new[] { false, true })
            {
                KernelHarness h = new();
                Assert.Equal(expected, h.Run<float, BinaryArguments>(new()
                {
                    Operation = h.N((int)operation), Type = ModelElementType.Float, A = h.Input(left),
                    B = constant ? h.Constant(Packings.Raw, b) : h.Input(b), Y = h.Output<float>(a.Length), Extents = h.Extents(rows, length),
                    AStrides = h.Strides(length, 1), YStrides = h.Strides(length, 1), Minimum = -2, Maximum = 3,
                    BStrides = layout switch { BinaryLayout.Same => h.Strides(length, 1), BinaryLayout.Row => h.Strides(0, 1),
                        BinaryLayout.Scalar => h.Strides(0, 0), _ => h.Strides(1, 0) },
                }));
            }
        }
        return new CaseResult(0, 0, "");

        static float Apply(BinaryOperation operation, float a, float b) => operation switch
        {
            BinaryOperation.Add => a + b,
            BinaryOperation.Subtract => a - b,
            BinaryOperation.Multiply => a * b,
            BinaryOperation.Divide => a / b,
            BinaryOperation.Minimum => Math.Min(a, b),
            BinaryOperation.Maximum => Math.Max(a, b),
            BinaryOperation.Power => MathF.Pow(a, b),
            BinaryOperation.PRelu => a < 0 ? a * b : a,
            BinaryOperation.Remainder => a % b,
            _ => a % b is var rest && rest != 0 && rest < 0 != b < 0 ? rest + b : rest,
        };
    }

    // Zero divisors and the smallest number divided by -1 included: no call may end the process.
    private static CaseResult Integers(int count, BinaryOperation operation)
    {
        TestRandom random = new(count, 9, (int)operation);
        long[] a = [.. random.Floats(count).Select((v, i) => i % 7 == 0 ? long.MinValue : (long)(v * 100))];
        long[] b = [.. random.Floats(count).Select((v, i) => (i % 5) switch { 0 => 0, 1 => -1, _ => (long)(v * 10) })];
        KernelHarness h = new();
        var y = h.Run<long, BinaryArguments>(new()
        {
            Operation = h.N((int)operation), Type = ModelElementType.Int64, A = h.Input(a), B = h.Input(b), Y = h.Output<long>(count), Extents = h.Extents(count),
            AStrides = h.Strides(1), BStrides = h.Strides(1), YStrides = h.Strides(1), Minimum = -None, Maximum = None,
        });
        Assert.Equal(a.Select((v, i) => operation switch
        {
            BinaryOperation.Add => v + b[i],
            BinaryOperation.Divide => b[i] == 0 ? 0 : b[i] == -1 ? -v : v / b[i],
            BinaryOperation.Modulo => b[i] is 0 or -1 ? 0 : v % b[i] is var rest && rest != 0 && rest < 0 != b[i] < 0 ? rest + b[i] : rest,
            BinaryOperation.Remainder => b[i] is 0 or -1 ? 0 : v % b[i],
            BinaryOperation.PRelu => v < 0 ? v * b[i] : v,
            BinaryOperation.And => v & b[i],
            BinaryOperation.Xor => v ^ b[i],
            _ => Math.Max(v, b[i]),
        }), y);
        return new CaseResult(0, 0, "");
    }

    private static CaseResult Quantize(int count, bool signed, int step)
    {
        // Ties, values far outside, and what random numbers give.
        float[] x = [.. new TestRandom(count, 3, 3).Floats(count * step)
            .Select((v, i) => (i / step % 5) switch { 0 => 0.5f * (i % 40 - 20), 1 => v * 1e9f, _ => v * 100 })];
        int zero = signed ? -3 : 100, lowest = signed ? -128 : 0;
        const float scale = 0.25f;
        var y = signed ? [.. Run<sbyte>().Select(v => (byte)v)] : Run<byte>();
        Assert.Equal(Every(x, step).Select(v => (byte)(int)Math.Clamp(Math.Round((double)(v / scale), MidpointRounding.ToEven) + zero, lowest, lowest + 255)),
            Every(y, step));
        return new CaseResult(0, 0, HashOf(y));

        T[] Run<T>() where T : unmanaged
        {
            KernelHarness h = new();
            return h.Run<T, QuantizeLinearArguments>(new()
            {
                YType = signed ? ModelElementType.Int8 : ModelElementType.UInt8, X = h.Input(x), Y = h.Output<T>(count * step), Extents = h.Extents(count),
                XStrides = h.Strides(step), YStrides = h.Strides(step), Zero = h.N(zero), Scale = scale,
            });
        }
    }

    private static T[] Every<T>(T[] values, int step) => [.. values.Where((_, i) => i % step == 0)];

    private static CaseResult Dequantize(int count, bool signed, int step)
    {
        var x = new TestRandom(count, 4, 4).Bytes(count * step);
        var zero = signed ? -3 : 100;
        KernelHarness h = new();
        var y = h.Run<float, DequantizeLinearArguments>(new()
        {
            XType = signed ? ModelElementType.Int8 : ModelElementType.UInt8, X = signed ? h.Input(Array.ConvertAll(x, v => (sbyte)v)) : h.Input(x),
            Y = h.Output<float>(count * step), Extents = h.Extents(count), XStrides = h.Strides(step), YStrides = h.Strides(step), Zero = h.N(zero),
            Scale = 0.1f,
        });
        Assert.Equal(Every(x, step).Select(v => ((signed ? (sbyte)v : v) - zero) * 0.1f), Every(y, step));
        return new CaseResult(0, 0, HashOf(y));
    }

    private static float[] Unary(UnaryOperation operation, float[] x, int step, float alpha, float beta)
    {
        KernelHarness h = new();
        return h.Run<float, UnaryArguments>(new()
        {
            Operation = h.N((int)operation), X = h.Input(x), Y = h.Output<float>(x.Length), Extents = h.Extents(x.Length / step), XStrides = h.Strides(step),
            YStrides = h.Strides(step), Alpha = alpha, Beta = beta,
        });
    }

    // The error is relative above 1 and absolute below.
    private static CaseResult Unary(UnaryOperation operation, int count, int step)
    {
        var (alpha, beta) = operation == UnaryOperation.Clamp ? (-1.5f, 2.5f) : (0.3f, 0.4f);
        float[] x = [.. new TestRandom(count, 5, (int)operation).Floats(count * step)
            .Select((v, i) => (i / step % 8) switch { 0 => v * 80, 1 => v * 0.001f, _ => v * 4 })];
        if (operation is UnaryOperation.Sqrt or UnaryOperation.Log) x = [.. x.Select(v => MathF.Abs(v) + 1e-3f)];
        if (operation is UnaryOperation.Asin or UnaryOperation.Acos or UnaryOperation.Atanh) x = [.. x.Select(v => v / 81)];
        if (operation == UnaryOperation.Acosh) x = [.. x.Select(v => MathF.Abs(v) + 1)];
        var y = Every(Unary(operation, x, step, alpha, beta), step);
        return new CaseResult(Every(x, step).Select((v, i) => Expected(v) is var e ? Math.Abs(y[i] - e) / Math.Max(1, Math.Abs(e)) : 0).Max(), 6e-7, "");

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
            UnaryOperation.Gelu => v * (1 + Erf(v / Math.Sqrt(2))) / 2,
            UnaryOperation.Clamp => Math.Clamp(v, alpha, beta),
            UnaryOperation.Linear => (double)alpha * v + beta,
            UnaryOperation.GeluTanh => v / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))),
            UnaryOperation.Swish => v / (1 + Math.Exp(-alpha * v)),
            UnaryOperation.ThresholdedRelu => v > alpha ? v : 0,
            UnaryOperation.Softsign => v / (1 + Math.Abs(v)),
            UnaryOperation.Selu => (double)beta * (v > 0 ? v : alpha * (Math.Exp(v) - 1)),
            UnaryOperation.Celu => v < 0 ? alpha * (Math.Exp(v / alpha) - 1) : v,
            UnaryOperation.Sign => Math.Sign(v),
            UnaryOperation.Floor => Math.Floor(v),
            UnaryOperation.Ceiling => Math.Ceiling(v),
            UnaryOperation.Round => Math.Round(v),
            UnaryOperation.Shrink => v < -alpha ? v + beta : v > alpha ? v - beta : 0,
            UnaryOperation.Log => Math.Log(v),
            UnaryOperation.Sin => Math.Sin(v),
            UnaryOperation.Cos => Math.Cos(v),
            UnaryOperation.Tan => Math.Tan(v),
            UnaryOperation.Asin => Math.Asin(v),
            UnaryOperation.Acos => Math.Acos(v),
            UnaryOperation.Atan => Math.Atan(v),
            UnaryOperation.Sinh => Math.Sinh(v),
            UnaryOperation.Cosh => Math.Cosh(v),
            UnaryOperation.Asinh => Math.Asinh(v),
            UnaryOperation.Acosh => Math.Acosh(v),
            UnaryOperation.Atanh => Math.Atanh(v),
            UnaryOperation.Softplus => v > 50 ? v : Math.Log(1 + Math.Exp(v)),
            _ => v * Math.Tanh(v > 50 ? v : Math.Log(1 + Math.Exp(v))),
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

    // A transposition, a reversal, a broadcast and a plain copy of 3 x 5 x 7 elements.
    private static CaseResult Copy<T>(Func<int, T> make) where T : unmanaged
    {
        const int a = 3, b = 5, c = 7;
        T[] x = [.. Enumerable.Range(0, a * b * c).Select(make)];
        foreach (var (strides, first) in new[] { (new long[] { b * c, c, 1 }, 0), ([1, a, a * b], 0), ([-b * c, -c, -1], a * b * c - 1), ([b * c, 0, 1], 0), ([0, c, 0], 0) })
        {
            KernelHarness h = new();
            var input = h.Input(x);
            var y = h.Run<T, CopyArguments>(new()
            {
                Type = ModelElementTypes.Of<T>(), X = Operand.Buffer(input.Index, h.N(first)), Y = h.Output<T>(a * b * c), Extents = h.Extents(a, b, c),
                XStrides = h.Strides(strides), YStrides = h.Strides(b * c, c, 1),
            });
            Assert.Equal(Enumerable.Range(0, a * b * c)
                .Select(i => x[first + i / (b * c) * strides[0] + i / c % b * strides[1] + i % c * strides[2]]), y);
        }
        return new CaseResult(0, 0, "");
    }

    // Two images, with a gap behind each in y.
    private static CaseResult Interleave(int channels, int pixels, bool join)
    {
        float[] x = [.. Enumerable.Range(0, 2 * channels * pixels).Select(i => (float)i)];
        long image = channels * pixels, gap = image + 3;
        KernelHarness h = new();
        var (planes, whole) = (new[] { image, pixels, 1 }, new[] { image, 1, channels });
        var y = h.Run<float, CopyArguments>(new()
        {
            Type = ModelElementType.Float, X = h.Input(x), Y = h.Output<float>((int)(2 * gap)), Extents = h.Extents(2, channels, pixels),
            XStrides = h.Strides(join ? planes : whole), YStrides = join ? h.Strides(gap, 1, channels) : h.Strides(gap, pixels, 1),
        });
        var expected = new float[2 * gap];
        for (var n = 0; n < 2; n++)
            for (var c = 0; c < channels; c++)
                for (var p = 0; p < pixels; p++)
                {
                    int plane = c * pixels + p, pixel = p * channels + c;
                    expected[n * gap + (join ? pixel : plane)] = x[n * image + (join ? plane : pixel)];
                }
        Assert.Equal(expected, y);
        return new CaseResult(0, 0, "");
    }

    private static CaseResult Border(int top, int left, int bottom, int right)
    {
        int height = 4 + top + bottom, width = 5 + left + right;
        KernelHarness h = new();
        var y = h.Run<byte, BorderArguments>(new()
        {
            Type = ModelElementType.UInt8, Y = h.Output<byte>(2 * height * width * 3), Images = h.N(2), Height = h.N(height), Width = h.N(width),
            Channels = h.N(3), Top = h.N(top), Left = h.N(left), Bottom = h.N(bottom), Right = h.N(right), Value = h.N(9),
        });
        Assert.Equal(Enumerable.Range(0, y.Length).Select(i => (Row: i / 3 / width % height, Column: i / 3 % width))
            .Select(p => p.Row >= top && p.Row < height - bottom && p.Column >= left && p.Column < width - right ? (byte)0 : (byte)9), y);
        return new CaseResult(0, 0, "");
    }

    private static T[] Transpose<T>(T[] w, int k, int n) => [.. Enumerable.Range(0, k * n).Select(i => w[i % k * n + i / k])];

    public static string HashOf<T>(T[] values) where T : unmanaged => Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())))[..16];
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
