using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Runtime.Tests;

/// <summary>A convolution of 8-bit images. Height and width are those of the output; depthwise, output channels are the input's.</summary>
internal sealed record ByteShape(int Height, int Width, int InputChannels, int OutputChannels, int KernelHeight = 3, int KernelWidth = 3)
{
    public int Images { get; init; } = 1;

    public (int Y, int X) Stride { get; init; } = (1, 1);

    public (int Y, int X) Dilation { get; init; } = (1, 1);

    /// <summary>Elements of others between pixels.</summary>
    public int Gap { get; init; }

    /// <summary>Whether weights are packed pixel by pixel.</summary>
    public bool ByPixel { get; init; }

    public bool Bias { get; init; } = true;

    public bool Signed { get; init; }

    public bool Narrow { get; init; }

    public ModelElementType Output { get; init; } = ModelElementType.UInt8;

    /// <summary>Limits that an activation sets.</summary>
    public bool Limited { get; init; }

    /// <summary>The largest products there are: what saturates in 16 bits fails.</summary>
    public bool Extreme { get; init; }

    public int XZero => Extreme ? Signed ? 127 : 0 : Signed ? -7 : 119;

    public int YZero => Output == ModelElementType.Int8 ? -5 : 130;

    public (int Low, int High) Limits => (Limited ? YZero : Output == ModelElementType.Int8 ? -128 : 0, Limited ? YZero + 60 : Output == ModelElementType.Int8 ? 127 : 255);

    public override string ToString() => $"{(Images > 1 ? $"{Images} x " : "")}{Height}x{Width} {InputChannels} to {OutputChannels} by {KernelHeight}x{KernelWidth} "
        + $"s{Stride.Y},{Stride.X} d{Dilation.Y},{Dilation.X}{(ByPixel ? " by pixel" : "")}{(Gap > 0 ? " gap" : "")}{(Bias ? "" : " no bias")} "
        + $"{(Signed ? "int8" : "uint8")} to {Output}{(Narrow ? " narrow" : "")}{(Limited ? " limited" : "")}{(Extreme ? " extreme" : "")}";
}

/// <summary>Convolutions and pools of 8-bit images against exact integers.</summary>
internal static class ByteImageCases
{
    private const float Minimum = -3, Maximum = 5;

    public static void AddTo(Action<Kernel, string, Func<CaseResult>> add)
    {
        foreach (ByteShape shape in Direct.SelectMany(Half)) add(ConvolutionInt8Arguments.Kernel, shape.ToString(), () => Convolution(shape));
        foreach (ByteShape shape in Winograd.SelectMany(Half)) add(ConvolutionInt8WinogradArguments.Kernel, shape.ToString(), () => ByWinograd(shape));
        foreach (ByteShape shape in Depthwise.SelectMany(Half).Where(s => s.Output != ModelElementType.Float))
            add(DepthwiseInt8Arguments.Kernel, shape.ToString(), () => EachChannel(shape));
        AddElementwise(add);
        foreach (PoolShape shape in PoolCases.Shapes.Where(s => s.Channels > 0))
        {
            foreach (var signed in new[] { false, true })
            {
                foreach (PoolInt8Kind kind in Enum.GetValues<PoolInt8Kind>().Where(k => k != PoolInt8Kind.Mean || shape.Pads == default && !shape.Ceiling))
                    add(PoolInt8Arguments.Kernel, $"{kind} signed {signed} {shape}", () => Pool(shape, kind, signed, false));
                add(PoolInt8Arguments.Kernel, $"padding counts signed {signed} {shape}", () => Pool(shape with { Kind = PoolKind.PaddedAverage },
                    PoolInt8Kind.Average, signed, true));
            }
        }
    }

    /// <summary>Functions and arithmetic of quantized values, under any strides.</summary>
    private static void AddElementwise(Action<Kernel, string, Func<CaseResult>> add)
    {
        foreach (var length in new[] { 1, 15, 64, 333 })
        {
            foreach (var (aStep, bStep, yStep) in new[] { (1, 1, 1), (1, 0, 1), (0, 1, 1), (2, 1, 3) })
            {
                foreach (var operation in new[] { BinaryOperation.Add, BinaryOperation.Subtract, BinaryOperation.Multiply })
                {
                    foreach (var signed in new[] { false, true })
                        add(BinaryInt8Arguments.Kernel, $"{operation} signed {signed} 3 of {length} by {aStep}, {bStep}, {yStep}",
                            () => Arithmetic(operation, signed, length, aStep, bStep, yStep));
                }
                if (bStep == 1) add(MapInt8Arguments.Kernel, $"3 of {length} by {aStep}, {yStep}", () => Function(length, aStep, yStep));
            }
        }
        foreach (var channels in new[] { 2, 3, 4 })
            foreach (var length in new[] { 5, 300 })
                add(QuantizeLinearArguments.Kernel, $"planes of {length} to {channels} channels", () => Planes(channels, length));
    }

    private static CaseResult Arithmetic(BinaryOperation operation, bool signed, int length, int aStep, int bStep, int yStep)
    {
        TestRandom random = new(length, aStep, bStep);
        byte[] a = random.Bytes(3 * length * 2), b = random.Bytes(length * 2);
        // Tie after tie: sums of halves of the scale.
        const float aScale = 0.25f, bScale = 0.5f, yScale = 0.5f;
        int aZero = 100, bZero = signed ? -9 : 30, yZero = signed ? -20 : 140, lowest = signed ? -100 : 10, highest = signed ? 127 : 250;
        CallOperands operands = new CallOperands().Input("A", a);
        if (signed) operands.Input("B", Array.ConvertAll(b, v => (sbyte)v));
        else operands.Input("B", b);
        IEnumerable<int> inside = Enumerable.Range(0, 3 * length).Select(i => i * yStep);
        if (signed) operands.Output<sbyte>("Y", 3 * length * yStep, 0, inside);
        else operands.Output<byte>("Y", 3 * length * yStep, 0, inside);
        ModelElementType type = signed ? ModelElementType.Int8 : ModelElementType.UInt8;
        // The second operand is the same in all rows.
        var y = operands.Run(new BinaryInt8Arguments
        {
            Operation = N((long)operation), AType = ModelElementType.UInt8, BType = type, YType = type, Extents = Loops.Of(1, 3, length),
            AStrides = Loops.Of(0, length * aStep, aStep), BStrides = Loops.Of(0, 0, bStep), YStrides = Loops.Of(0, length * yStep, yStep), AZero = N(aZero),
            BZero = N(bZero), YZero = N(yZero), YMinimum = N(lowest), YMaximum = N(highest), AScale = aScale, BScale = bScale, YScale = yScale,
        })["Y"];
        for (var i = 0; i < 3 * length; i++)
        {
            byte raw = b[i % length * bStep];
            float p = (a[(i / length * length + i % length) * aStep] - aZero) * aScale, q = ((signed ? (sbyte)raw : raw) - bZero) * bScale;
            var real = operation switch { BinaryOperation.Add => p + q, BinaryOperation.Subtract => p - q, _ => p * q };
            var expected = (byte)(int)Math.Clamp(MathF.Round(real / yScale, MidpointRounding.ToEven) + yZero, lowest, highest);
            if (y[i * yStep] != expected) Assert.Fail($"element {i}: {expected}, not {y[i * yStep]}");
        }
        return new CaseResult(0, 0, KernelCases.HashOf(y));
    }

    private static CaseResult Function(int length, int xStep, int yStep)
    {
        TestRandom random = new(length, xStep, yStep);
        byte[] x = random.Bytes(3 * length * 2), table = random.Bytes(256);
        var y = new CallOperands().Input("X", x).Constant("Table", Packings.Raw, table)
            .Output<byte>("Y", 3 * length * yStep, 0, Enumerable.Range(0, 3 * length).Select(i => i * yStep)).Run(new MapInt8Arguments
            {
                XType = ModelElementType.UInt8, YType = ModelElementType.UInt8, Extents = Loops.Of(1, 3, length),
                XStrides = Loops.Of(0, length * xStep, xStep), YStrides = Loops.Of(0, length * yStep, yStep),
            })["Y"];
        for (var i = 0; i < 3 * length; i++)
        {
            if (y[i * yStep] != table[x[i * xStep]]) Assert.Fail($"element {i} is wrong");
        }
        return new CaseResult(0, 0, KernelCases.HashOf(y));
    }

    // Channels first to channels last, two images, rows with a border.
    private static CaseResult Planes(int channels, int length)
    {
        float[] x = [.. new TestRandom(channels, length, 3).Floats(2 * channels * length).Select(v => v * 100)];
        int row = (length + 2) * channels, first = channels;
        var y = new CallOperands().Input("X", x)
            .Output<byte>("Y", 2 * row, first, Enumerable.Range(0, 2).SelectMany(n => Enumerable.Range(n * row + first, length * channels))).Run(new QuantizeLinearArguments
            {
                YType = ModelElementType.UInt8, Extents = Loops.Of(1, 2, channels, length), XStrides = Loops.Of(0, channels * length, length, 1),
                YStrides = Loops.Of(0, row, 1, channels), Zero = N(100), Scale = 0.7f,
            })["Y"];
        for (var n = 0; n < 2; n++)
            for (var c = 0; c < channels; c++)
                for (var i = 0; i < length; i++)
                {
                    var expected = (byte)(int)Math.Clamp(MathF.Round(x[(n * channels + c) * length + i] / 0.7f, MidpointRounding.ToEven) + 100, 0, 255);
                    if (y[n * row + first + i * channels + c] != expected) Assert.Fail($"image {n}, channel {c}, pixel {i}");
                }
        return new CaseResult(0, 0, KernelCases.HashOf(y));
    }

    private static readonly ByteShape[] Direct =
    [
        new(1, 1, 1, 1, 1, 1), new(1, 1, 64, 70, 1, 1), new(5, 7, 16, 32, 1, 1) { Gap = 3, ByPixel = true }, new(9, 13, 17, 40, 1, 1) { Images = 2 },
        new(7, 5, 3, 16) { Stride = (2, 2) }, new(6, 8, 12, 24) { ByPixel = true, Gap = 5 }, new(4, 9, 4, 7, 2, 5) { Stride = (1, 2), Dilation = (2, 1), Images = 3 },
        new(5, 6, 5, 31) { ByPixel = true, Dilation = (1, 3), Stride = (3, 1), Bias = false }, new(1, 50, 8, 9, 1, 7) { Stride = (1, 2) },
        new(12, 1, 1, 64, 10, 4) { Stride = (2, 2) }, new(0, 4, 4, 4), new(9, 15, 2, 100, 1, 1) { Bias = false }, new(2, 3, 130, 20),
    ];

    private static readonly ByteShape[] Winograd =
    [
        new(1, 1, 1, 1), new(2, 2, 4, 16), new(5, 7, 17, 33) { Gap = 3 }, new(6, 5, 32, 20) { Images = 2, Bias = false }, new(4, 7, 5, 100), new(3, 9, 70, 7),
        new(0, 4, 4, 4), new(3, 4, 200, 20),
    ];

    private static readonly ByteShape[] Depthwise =
    [
        new(1, 1, 1, 1), new(9, 16, 8, 8), new(8, 15, 33, 33) { Gap = 3 }, new(10, 7, 24, 24) { Images = 2, Bias = false }, new(6, 13, 16, 16) { Stride = (2, 2) },
        new(7, 7, 48, 48, 5, 5), new(5, 9, 17, 17, 5, 5) { Stride = (2, 2) }, new(4, 5, 20, 20, 7, 7), new(4, 9, 12, 12, 2, 3) { Dilation = (2, 2) },
        new(5, 8, 12, 12) { Stride = (1, 2), Dilation = (3, 1) }, new(9, 30, 3, 3, 3, 1), new(3, 25, 40, 40, 1, 9) { Stride = (1, 3) }, new(0, 3, 3, 3),
        new(5, 4, 130, 130), new(5, 6, 35, 35, 1, 1),
    ];

    // Every other form, so that neighbours have them all.
    private static IEnumerable<ByteShape> Half(ByteShape shape, int index) => Forms(shape).Where((_, i) => (i + index) % 2 == 0);

    // All types, with the other choices spread over them.
    private static IEnumerable<ByteShape> Forms(ByteShape shape) =>
    [
        shape with { Narrow = true, Limited = true }, shape with { Output = ModelElementType.Int8 }, shape with { Output = ModelElementType.Float, Signed = true },
        shape with { Signed = true, Narrow = true, Output = ModelElementType.Int8 }, shape with { Extreme = true, Output = ModelElementType.Int8 },
        shape with { Signed = true, Extreme = true, Limited = true }, shape with { Output = ModelElementType.Float, Narrow = true, Gap = 0 },
    ];

    private static CaseResult Convolution(ByteShape s)
    {
        Problem p = new(s, depthwise: false);
        p.Operands.Constant("W", s.Narrow ? Packings.DenseInt7 : Packings.DenseInt8,
            ConvolutionInt8Packing.Pack(p.Weights, s.OutputChannels, s.InputChannels, s.KernelHeight, s.KernelWidth, p.ByPixel));
        return p.Result(p.Operands.Run(new ConvolutionInt8Arguments
        {
            XType = p.XType, YType = s.Output, Images = N(s.Images), InputChannels = N(s.InputChannels), OutputRows = N(s.Height), OutputColumns = N(s.Width),
            OutputChannels = N(s.OutputChannels), KernelRows = N(s.KernelHeight), KernelColumns = N(s.KernelWidth), StrideRows = N(s.Stride.Y),
            StrideColumns = N(s.Stride.X), DilationRows = N(s.Dilation.Y), DilationColumns = N(s.Dilation.X), XPixel = N(p.X.Pixel), XRow = N(p.X.Row),
            XImage = N(p.X.Image), YPixel = N(p.Y.Pixel), YRow = N(p.Y.Row), YImage = N(p.Y.Image), ByPixel = N(p.ByPixel ? 1 : 0), Narrow = N(s.Narrow ? 1 : 0),
            XZero = N(s.XZero), YZero = N(s.YZero), YMinimum = N(s.Limits.Low), YMaximum = N(s.Limits.High), Minimum = Minimum, Maximum = Maximum,
        }));
    }

    private static CaseResult ByWinograd(ByteShape s)
    {
        Problem p = new(s, depthwise: false);
        p.Operands.Constant("W", Packings.WinogradInt8, WinogradInt8Packing.Pack(p.Weights, s.OutputChannels, s.InputChannels));
        return p.Result(p.Operands.Run(new ConvolutionInt8WinogradArguments
        {
            XType = p.XType, YType = s.Output, Images = N(s.Images), InputChannels = N(s.InputChannels), OutputRows = N(s.Height), OutputColumns = N(s.Width),
            OutputChannels = N(s.OutputChannels), XPixel = N(p.X.Pixel), XRow = N(p.X.Row), XImage = N(p.X.Image), YPixel = N(p.Y.Pixel), YRow = N(p.Y.Row),
            YImage = N(p.Y.Image), XZero = N(s.XZero), YZero = N(s.YZero), YMinimum = N(s.Limits.Low), YMaximum = N(s.Limits.High), Minimum = Minimum,
            Maximum = Maximum,
        }));
    }

    private static CaseResult EachChannel(ByteShape s)
    {
        Problem p = new(s, depthwise: true);
        p.Operands.Constant("W", s.Narrow ? Packings.DepthwiseInt7 : Packings.DepthwiseInt8,
            DepthwiseInt8Packing.Pack(p.Weights, s.InputChannels, s.KernelHeight, s.KernelWidth));
        return p.Result(p.Operands.Run(new DepthwiseInt8Arguments
        {
            XType = p.XType, YType = s.Output, Images = N(s.Images), Channels = N(s.InputChannels), OutputRows = N(s.Height), OutputColumns = N(s.Width),
            KernelRows = N(s.KernelHeight), KernelColumns = N(s.KernelWidth), StrideRows = N(s.Stride.Y), StrideColumns = N(s.Stride.X),
            DilationRows = N(s.Dilation.Y), DilationColumns = N(s.Dilation.X), XPixel = N(p.X.Pixel), XRow = N(p.X.Row), XImage = N(p.X.Image),
            YPixel = N(p.Y.Pixel), YRow = N(p.Y.Row), YImage = N(p.Y.Image), Narrow = N(s.Narrow ? 1 : 0), XZero = N(s.XZero), YZero = N(s.YZero),
            YMinimum = N(s.Limits.Low), YMaximum = N(s.Limits.High),
        }));
    }

    private static Size N(long value) => Size.Of(value);

    /// <summary>Operands of a convolution, and what it gives.</summary>
    private sealed class Problem
    {
        private readonly ByteShape _shape;
        private readonly byte[] _expected;

        public Problem(ByteShape s, bool depthwise)
        {
            _shape = s;
            TestRandom random = new(s.Height * 1000 + s.Width, s.InputChannels * 1000 + s.OutputChannels, s.KernelHeight * 10 + s.KernelWidth + (s.Signed ? 1 : 0));
            ByPixel = s.ByPixel || s.Gap > 0;
            X = new(s.Images, Math.Max((s.Height - 1) * s.Stride.Y + (s.KernelHeight - 1) * s.Dilation.Y + 1, 1),
                Math.Max((s.Width - 1) * s.Stride.X + (s.KernelWidth - 1) * s.Dilation.X + 1, 1), s.InputChannels) { Gap = s.Gap, Left = s.Gap & 1, Top = s.Gap & 1 };
            Y = new(s.Images, s.Height, s.Width, s.OutputChannels) { Gap = s.Gap, Top = 2, Left = 1, Right = s.Gap, RowGap = s.Gap };
            var x = random.Bytes(X.Length);
            if (s.Extreme) Array.Fill(x, s.Signed ? (byte)0x80 : (byte)255);
            var count = depthwise ? 1 : s.InputChannels;
            Weights = random.Weights(s.OutputChannels * count * s.KernelHeight * s.KernelWidth, s.Narrow);
            if (s.Extreme) Weights = [.. Weights.Select(w => w % 2 == 0 ? (sbyte)127 : (sbyte)-128)];
            if (s.Extreme && s.OutputChannels > 1) Array.Fill(Weights, (sbyte)-128, 0, Weights.Length / 2);
            int[]? bias = s.Bias ? [.. random.Floats(s.OutputChannels).Select(v => (int)(v * 3000))] : null;
            var size = MathF.Sqrt(count * s.KernelHeight * s.KernelWidth) * (s.Extreme ? 200 : 1);
            // Some are powers of two: their results have ties.
            float[] multiplier = [.. random.Floats(s.OutputChannels).Select((v, c) => c % 3 == 0 ? 1f / (1 << (7 + (int)MathF.Log2(size))) : (0.002f + MathF.Abs(v) * 0.02f) / size)];
            Operands = new CallOperands().Constant("Bias", Packings.Raw, bias).Constant("Multiplier", Packings.Raw, multiplier);
            if (s.Signed) Operands.Input("X", Array.ConvertAll(x, v => (sbyte)v), X.First);
            else Operands.Input("X", x, X.First);
            var inside = Y.Elements.Select(e => Y.At(e.Image, e.Row, e.Pixel, e.Channel)).ToArray();
            if (s.Output == ModelElementType.Float) Operands.Output<float>("Y", Y.Length, Y.First, inside);
            else if (s.Output == ModelElementType.Int8) Operands.Output<sbyte>("Y", Y.Length, Y.First, inside);
            else Operands.Output<byte>("Y", Y.Length, Y.First, inside);
            _expected = new byte[Y.Length * (s.Output == ModelElementType.Float ? sizeof(float) : 1)];
            foreach ((var n, var row, var pixel, var c) in Y.Elements)
            {
                var sum = bias?[c] ?? 0;
                for (var ky = 0; ky < s.KernelHeight; ky++)
                    for (var kx = 0; kx < s.KernelWidth; kx++)
                    {
                        var at = X.At(n, row * s.Stride.Y + ky * s.Dilation.Y, pixel * s.Stride.X + kx * s.Dilation.X, depthwise ? c : 0);
                        for (var k = 0; k < count; k++)
                            sum += ((s.Signed ? (sbyte)x[at + k] : x[at + k]) - s.XZero) * Weights[((c * count + k) * s.KernelHeight + ky) * s.KernelWidth + kx];
                    }
                var y = Y.At(n, row, pixel, c);
                if (s.Output == ModelElementType.Float)
                    MemoryMarshal.Cast<byte, float>(_expected.AsSpan())[y] = Math.Min(Math.Max(sum * multiplier[c], Minimum), Maximum);
                else
                    _expected[y] = (byte)Math.Clamp((long)MathF.Round(sum * multiplier[c], MidpointRounding.ToEven) + s.YZero, s.Limits.Low, s.Limits.High);
            }
        }

        public TestView X { get; }

        public TestView Y { get; }

        public sbyte[] Weights { get; }

        public bool ByPixel { get; }

        public CallOperands Operands { get; }

        public ModelElementType XType => _shape.Signed ? ModelElementType.Int8 : ModelElementType.UInt8;

        public CaseResult Result(Dictionary<string, byte[]> results) => Exact(_expected, results["Y"], Y, _shape.Output == ModelElementType.Float ? sizeof(float) : 1);
    }

    private static CaseResult Exact(byte[] expected, byte[] actual, TestView y, int bytes)
    {
        foreach ((var n, var row, var pixel, var c) in y.Elements)
        {
            var at = y.At(n, row, pixel, c) * bytes;
            if (!expected.AsSpan(at, bytes).SequenceEqual(actual.AsSpan(at, bytes)))
                Assert.Fail($"image {n}, {row}, {pixel}, channel {c}: {expected[at]}, not {actual[at]}");
        }
        return new CaseResult(0, 0, KernelCases.HashOf(actual));
    }

    private static CaseResult Pool(PoolShape s, PoolInt8Kind kind, bool signed, bool countsPadding)
    {
        TestView x = new(s.Images, s.Height, s.Width, s.Channels) { Gap = s.Gap, Top = s.Gap, RowGap = s.Gap };
        TestView y = new(s.Images, s.OutputHeight, s.OutputWidth, s.Channels) { Gap = s.Gap, Top = 1, Left = 1, Right = 2, RowGap = 1 };
        var values = new TestRandom(s.Height, s.Width, s.Channels).Bytes(x.Length);
        int xZero = signed ? -20 : 110, yZero = signed ? 3 : 90;
        const float xScale = 0.02f, yScale = 0.013f;
        CallOperands operands = new();
        var inside = y.Elements.Select(e => y.At(e.Image, e.Row, e.Pixel, e.Channel)).ToArray();
        if (signed) operands.Input("X", Array.ConvertAll(values, v => (sbyte)v), x.First).Output<sbyte>("Y", y.Length, y.First, inside);
        else operands.Input("X", values, x.First).Output<byte>("Y", y.Length, y.First, inside);
        var result = operands.Run(new PoolInt8Arguments
        {
            Type = signed ? ModelElementType.Int8 : ModelElementType.UInt8, Kind = N((long)kind), Images = N(s.Images), InputRows = N(s.Height),
            InputColumns = N(s.Width), OutputRows = N(s.OutputHeight), OutputColumns = N(s.OutputWidth), Channels = N(s.Channels), KernelRows = N(s.KernelHeight),
            KernelColumns = N(s.KernelWidth), StrideRows = N(s.Stride.Y), StrideColumns = N(s.Stride.X), DilationRows = N(s.Dilation.Y),
            DilationColumns = N(s.Dilation.X), PadRows = N(s.Pads.Top), PadColumns = N(s.Pads.Left), CountsPadding = N(countsPadding ? 1 : 0), XPixel = N(x.Pixel),
            XRow = N(x.Row), XImage = N(x.Image), YPixel = N(y.Pixel), YRow = N(y.Row), YImage = N(y.Image), XZero = N(xZero), YZero = N(yZero), XScale = xScale,
            YScale = yScale,
        })["Y"];
        var expected = new byte[y.Length];
        foreach ((var n, var row, var pixel, var c) in y.Elements)
        {
            int sum = 0, count = 0, most = int.MinValue;
            float scaled = 0;
            for (var ky = 0; ky < s.KernelHeight; ky++)
                for (var kx = 0; kx < s.KernelWidth; kx++)
                {
                    int iy = row * s.Stride.Y - s.Pads.Top + ky * s.Dilation.Y, ix = pixel * s.Stride.X - s.Pads.Left + kx * s.Dilation.X;
                    if (iy < 0 || iy >= s.Height || ix < 0 || ix >= s.Width) continue;
                    var raw = values[x.At(n, iy, ix, c)];
                    int v = signed ? (sbyte)raw : raw;
                    (count, most) = (count + 1, Math.Max(most, v));
                    sum += v - xZero;
                    scaled += (v - xZero) * xScale;
                }
            if (countsPadding) count = s.KernelHeight * s.KernelWidth;
            var result8 = kind switch
            {
                PoolInt8Kind.Max => most,
                PoolInt8Kind.Mean => (int)MathF.Round(sum * (xScale / (yScale * count)), MidpointRounding.ToEven) + yZero,
                _ => (int)MathF.Round(scaled / count / yScale + yZero, MidpointRounding.ToEven),
            };
            expected[y.At(n, row, pixel, c)] = (byte)Math.Clamp(result8, signed ? -128 : 0, signed ? 127 : 255);
        }
        return Exact(expected, result, y, 1);
    }
}
