using ModelBuild.Kernels;

namespace ModelBuild.Runtime.Tests;

/// <summary>What a convolution adds to its sums.</summary>
internal enum Added
{
    Nothing,
    Apart,
    InPlace,
}

/// <summary>A convolution. Channels are those of one group; height and width those of the output.</summary>
internal sealed record ConvolutionShape(int Height, int Width, int InputChannels, int OutputChannels, int KernelHeight = 3, int KernelWidth = 3)
{
    public int Images { get; init; } = 1;

    public int Groups { get; init; } = 1;

    public (int Y, int X) Stride { get; init; } = (1, 1);

    public (int Y, int X) Dilation { get; init; } = (1, 1);

    public bool Bias { get; init; } = true;

    public Added Added { get; init; }

    public UnaryOperation? Activation { get; init; }

    public (float Minimum, float Maximum) Limits { get; init; } = (float.NegativeInfinity, float.PositiveInfinity);

    /// <summary>Elements of others between pixels.</summary>
    public int Gap { get; init; }

    /// <summary>One input is not a number.</summary>
    public bool NotANumber { get; init; }

    public const float Alpha = 0.2f, Beta = 0.5f;

    public override string ToString() => $"{(Images > 1 ? $"{Images} x " : "")}{Height}x{Width} {(Groups > 1 ? $"{Groups} groups of " : "")}"
        + $"{InputChannels} to {OutputChannels} by {KernelHeight}x{KernelWidth} s{Stride.Y},{Stride.X} d{Dilation.Y},{Dilation.X}"
        + $"{(Added == Added.Nothing ? "" : $" {Added}")}{(Activation is null ? "" : $" {Activation}")}{(NotANumber ? " not a number" : "")}";
}

/// <summary>Float convolutions against plain loops in double.</summary>
internal static class ConvolutionCases
{
    private static readonly (float, float) _relu6 = (0, 6);

    public static void AddTo(Action<Kernel, string, Func<CaseResult>> add)
    {
        ConvolutionShape[] dense =
        [
            new(1, 1, 1, 1, 1, 1), new(1, 1, 64, 70, 1, 1), new(1, 1, 5, 33, 3, 3) { Bias = false }, new(5, 7, 16, 32, 1, 1) { Limits = _relu6 },
            new(9, 13, 17, 40, 1, 1) { Images = 2, Gap = 3 }, new(7, 5, 3, 16) { Stride = (2, 2), Limits = _relu6 },
            new(6, 8, 12, 24) { Gap = 5, Added = Added.Apart }, new(6, 8, 8, 48) { Added = Added.InPlace, Limits = _relu6 },
            new(4, 9, 4, 7, 2, 5) { Stride = (1, 2), Dilation = (2, 1), Images = 3 }, new(5, 6, 5, 31) { Dilation = (1, 3), Stride = (3, 1) },
            new(8, 8, 6, 10) { Groups = 3 }, new(3, 4, 2, 65, 1, 3) { Groups = 2, Images = 2, Added = Added.Apart },
            new(1, 50, 8, 9, 1, 7) { Stride = (1, 2) }, new(12, 1, 1, 64, 10, 4) { Stride = (2, 2) }, new(0, 4, 4, 4), new(4, 4, 3, 0),
            new(3, 3, 0, 5), new(5, 5, 4, 20) { Activation = UnaryOperation.HardSwish },
            new(4, 6, 4, 33) { Activation = UnaryOperation.Silu, Gap = 2, Added = Added.InPlace },
            new(4, 6, 4, 6) { Activation = UnaryOperation.LeakyRelu, Limits = (-0.1f, 1) }, new(5, 5, 3, 36) { NotANumber = true, Limits = _relu6 },
            new(5, 5, 3, 36) { NotANumber = true, Activation = UnaryOperation.HardSwish },
            new(5, 5, 3, 5) { NotANumber = true, Activation = UnaryOperation.HardSigmoid }, new(15, 15, 2, 40, 1, 1),
            new(5, 6, 24, 1) { Limits = _relu6 }, new(4, 5, 37, 3) { Gap = 2, Added = Added.InPlace, Images = 2 }, new(9, 11, 64, 2, 1, 1) { Stride = (2, 1) },
            new(5, 5, 16, 8, 3, 2) { Activation = UnaryOperation.Sigmoid }, new(5, 5, 20, 5) { NotANumber = true, Added = Added.Apart, Dilation = (2, 2) },
            new(4, 4, 33, 6) { Bias = false }, new(4, 4, 40, 7, 1, 3), new(3, 5, 18, 4),
        ];
        foreach (ConvolutionShape shape in dense) add(ConvolutionF32Arguments.Kernel, shape.ToString(), () => Dense(shape));
        ConvolutionShape[] depthwise =
        [
            new(1, 1, 1, 1) { Groups = 1 }, new(9, 16, 1, 1) { Groups = 8, Limits = _relu6 },
            new(8, 15, 1, 1) { Groups = 33, Gap = 3, Added = Added.Apart }, new(10, 7, 1, 1) { Groups = 24, Images = 2, Bias = false },
            new(6, 13, 1, 1) { Groups = 16, Stride = (2, 2) }, new(7, 7, 1, 1, 5, 5) { Groups = 48, Added = Added.InPlace },
            new(5, 9, 1, 1, 5, 5) { Groups = 17, Stride = (2, 2), Limits = _relu6 }, new(4, 5, 1, 1, 7, 7) { Groups = 20 },
            new(4, 9, 1, 1, 2, 3) { Groups = 12, Dilation = (2, 2) }, new(5, 8, 1, 1) { Groups = 12, Stride = (1, 2), Dilation = (3, 1) },
            new(9, 30, 1, 1, 3, 1) { Groups = 3 }, new(3, 25, 1, 1, 1, 9) { Groups = 40, Stride = (1, 3) }, new(6, 6, 1, 3) { Groups = 11 },
            new(5, 17, 1, 2, 5, 5) { Groups = 16, Stride = (2, 1), Added = Added.Apart, Gap = 1 }, new(4, 4, 1, 17) { Groups = 1 },
            new(0, 3, 1, 1) { Groups = 3 }, new(5, 5, 1, 1) { Groups = 18, Activation = UnaryOperation.HardSwish },
            new(5, 20, 1, 1) { Groups = 6, Activation = UnaryOperation.Sigmoid, Gap = 2 },
            new(6, 6, 1, 1) { Groups = 20, NotANumber = true, Limits = _relu6 },
            new(6, 6, 1, 1) { Groups = 5, NotANumber = true, Activation = UnaryOperation.HardSwish }, new(16, 12, 1, 1) { Groups = 130 },
        ];
        foreach (ConvolutionShape shape in depthwise) add(DepthwiseF32Arguments.Kernel, shape.ToString(), () => Depthwise(shape));
        ConvolutionShape[] winograd =
        [
            new(1, 1, 1, 1), new(4, 4, 16, 32), new(5, 7, 3, 17) { Images = 2, Limits = _relu6 }, new(8, 12, 24, 40) { Gap = 3, Added = Added.Apart },
            new(9, 6, 33, 16) { Added = Added.InPlace }, new(16, 13, 17, 65) { Bias = false }, new(7, 7, 130, 8), new(40, 40, 4, 4), new(0, 3, 3, 3),
            new(6, 6, 8, 20) { Activation = UnaryOperation.HardSwish, Gap = 1 }, new(10, 10, 3, 5) { NotANumber = true, Limits = _relu6 },
            new(33, 30, 4, 40) { Images = 2 },
        ];
        foreach (ConvolutionShape shape in winograd) add(WinogradF32Arguments.Kernel, shape.ToString(), () => Winograd(shape));
    }

    private static CaseResult Dense(ConvolutionShape s)
    {
        Problem p = new(s);
        TestView x = p.Operands.XView, y = p.Operands.YView, r = p.Operands.ResidualView!;
        return p.Result(1e-5, ImageCalls.Run(new ConvolutionF32Arguments
        {
            Images = Of(s.Images), OutputHeight = Of(s.Height), OutputWidth = Of(s.Width), InputChannels = Of(s.InputChannels),
            OutputChannels = Of(s.OutputChannels), Groups = Of(s.Groups), KernelHeight = Of(s.KernelHeight), KernelWidth = Of(s.KernelWidth),
            StrideY = Of(s.Stride.Y), StrideX = Of(s.Stride.X), DilationY = Of(s.Dilation.Y), DilationX = Of(s.Dilation.X), XPixel = Of(x.Pixel),
            XRow = Of(x.Row), XImage = Of(x.Image), YPixel = Of(y.Pixel), YRow = Of(y.Row), YImage = Of(y.Image), ResidualPixel = Of(r.Pixel),
            ResidualRow = Of(r.Row), ResidualImage = Of(r.Image), Activation = Of(p.Activation), Alpha = ConvolutionShape.Alpha,
            Beta = ConvolutionShape.Beta, Minimum = s.Limits.Minimum, Maximum = s.Limits.Maximum,
        }, p.Operands with
        {
            W = (Packings.DenseF32, ConvolutionF32Packing.Pack(p.Weights, s.Groups, s.OutputChannels, s.InputChannels, s.KernelHeight, s.KernelWidth)),
        }));
    }

    private static CaseResult Depthwise(ConvolutionShape s)
    {
        Problem p = new(s);
        TestView x = p.Operands.XView, y = p.Operands.YView, r = p.Operands.ResidualView!;
        return p.Result(1e-5, ImageCalls.Run(new DepthwiseF32Arguments
        {
            Images = Of(s.Images), OutputHeight = Of(s.Height), OutputWidth = Of(s.Width), InputChannels = Of(s.Groups),
            Multiplier = Of(s.OutputChannels), KernelHeight = Of(s.KernelHeight), KernelWidth = Of(s.KernelWidth), StrideY = Of(s.Stride.Y),
            StrideX = Of(s.Stride.X), DilationY = Of(s.Dilation.Y), DilationX = Of(s.Dilation.X), XPixel = Of(x.Pixel), XRow = Of(x.Row),
            XImage = Of(x.Image), YPixel = Of(y.Pixel), YRow = Of(y.Row), YImage = Of(y.Image), ResidualPixel = Of(r.Pixel), ResidualRow = Of(r.Row),
            ResidualImage = Of(r.Image), Activation = Of(p.Activation), Alpha = ConvolutionShape.Alpha, Beta = ConvolutionShape.Beta,
            Minimum = s.Limits.Minimum, Maximum = s.Limits.Maximum,
        }, p.Operands with
        {
            W = (Packings.DepthwiseF32, DepthwiseF32Packing.Pack(p.Weights, s.Groups * s.OutputChannels, s.KernelHeight, s.KernelWidth)),
        }));
    }

    private static CaseResult Winograd(ConvolutionShape s)
    {
        Problem p = new(s);
        TestView x = p.Operands.XView, y = p.Operands.YView, r = p.Operands.ResidualView!;
        // What is not a number spreads over a square of outputs.
        return p.Result(1e-4, spreads: true, y: ImageCalls.Run(new WinogradF32Arguments
        {
            Images = Of(s.Images), OutputHeight = Of(s.Height), OutputWidth = Of(s.Width), InputChannels = Of(s.InputChannels),
            OutputChannels = Of(s.OutputChannels), XPixel = Of(x.Pixel), XRow = Of(x.Row), XImage = Of(x.Image), YPixel = Of(y.Pixel),
            YRow = Of(y.Row), YImage = Of(y.Image), ResidualPixel = Of(r.Pixel), ResidualRow = Of(r.Row), ResidualImage = Of(r.Image),
            Activation = Of(p.Activation), Alpha = ConvolutionShape.Alpha, Beta = ConvolutionShape.Beta, Minimum = s.Limits.Minimum,
            Maximum = s.Limits.Maximum,
        }, p.Operands with { W = (Packings.WinogradF32, WinogradF32Packing.Pack(p.Weights, s.OutputChannels, s.InputChannels)) }));
    }

    private static Size Of(long value) => Size.Of(value);

    /// <summary>Operands of a convolution and the outputs that it should have.</summary>
    private sealed class Problem
    {
        private readonly Dictionary<int, double> _expected = [];
        private readonly double _most = 1e-30;

        public Problem(ConvolutionShape s)
        {
            TestRandom random = new(s.Height * 1000 + s.Width, s.InputChannels * 1000 + s.OutputChannels, s.Groups * 100 + s.KernelHeight * 10 + s.KernelWidth);
            int inputs = s.InputChannels * s.Groups, outputs = s.OutputChannels * s.Groups;
            // The padded window of the kernel lies somewhere in a larger buffer.
            TestView x = new(s.Images, Math.Max((s.Height - 1) * s.Stride.Y + (s.KernelHeight - 1) * s.Dilation.Y + 1, 1),
                Math.Max((s.Width - 1) * s.Stride.X + (s.KernelWidth - 1) * s.Dilation.X + 1, 1), inputs) { Gap = s.Gap, Left = s.Gap & 1, Top = s.Gap & 1 };
            TestView y = new(s.Images, s.Height, s.Width, outputs) { Gap = s.Gap, Top = 2, Left = 1, Right = s.Gap, RowGap = s.Gap };
            TestView residual = s.Added == Added.InPlace ? y : new(s.Images, s.Height, s.Width, outputs) { Gap = s.Gap * 2, Bottom = 1 };
            var values = random.Floats(x.Length);
            if (s.NotANumber) values[x.At(0, x.Height / 2, x.Width / 2, 0)] = float.NaN;
            Weights = random.Floats(outputs * s.InputChannels * s.KernelHeight * s.KernelWidth);
            var bias = s.Bias ? random.Floats(outputs) : null;
            var added = s.Added == Added.Nothing ? null : random.Floats(residual.Length);
            Operands = new(values, x, y)
            {
                Bias = bias, ResidualView = residual, Residual = s.Added == Added.Apart ? added : null,
                InPlace = s.Added == Added.InPlace ? added : null,
            };
            Activation = s.Activation is { } operation ? FusedActivation.Of(operation) : FusedActivation.None;
            foreach ((var n, var row, var pixel, var c) in y.Elements)
            {
                double sum = bias?[c] ?? 0;
                var group = c / s.OutputChannels;
                for (var ky = 0; ky < s.KernelHeight; ky++)
                    for (var kx = 0; kx < s.KernelWidth; kx++)
                    {
                        var at = x.At(n, row * s.Stride.Y + ky * s.Dilation.Y, pixel * s.Stride.X + kx * s.Dilation.X, group * s.InputChannels);
                        for (var k = 0; k < s.InputChannels; k++)
                            sum += (double)values[at + k] * Weights[((c * s.InputChannels + k) * s.KernelHeight + ky) * s.KernelWidth + kx];
                    }
                if (added is not null) sum += added[residual.At(n, row, pixel, c)];
                if (!double.IsNaN(sum)) _most = Math.Max(_most, Math.Abs(sum));
                _expected[y.At(n, row, pixel, c)] = Math.Min(Math.Max(Activate(s.Activation, sum), s.Limits.Minimum), s.Limits.Maximum);
            }
        }

        public float[] Weights { get; }

        public ImageOperands Operands { get; }

        public long Activation { get; }

        /// <summary>The largest difference over the largest sum.</summary>
        public CaseResult Result(double tolerance, float[] y, bool spreads = false)
        {
            double worst = 0;
            foreach ((var at, var expected) in _expected)
            {
                if (double.IsNaN(expected))
                {
                    if (!float.IsNaN(y[at])) Assert.Fail($"element {at} is a number");
                }
                else if (!spreads || !float.IsNaN(y[at]) || !_expected.Values.Any(double.IsNaN))
                {
                    if (float.IsNaN(y[at])) Assert.Fail($"element {at} is not a number");
                    worst = Math.Max(worst, Math.Abs(y[at] - expected) / _most);
                }
            }
            return new CaseResult(worst, tolerance, "");
        }
    }

    /// <summary>The function that a convolution applies, in double.</summary>
    public static double Activate(UnaryOperation? operation, double v) => operation switch
    {
        null => v,
        UnaryOperation.Sigmoid => 1 / (1 + Math.Exp(-v)),
        UnaryOperation.LeakyRelu => v < 0 ? ConvolutionShape.Alpha * v : v,
        UnaryOperation.HardSigmoid => Math.Clamp(ConvolutionShape.Alpha * v + ConvolutionShape.Beta, 0, 1),
        UnaryOperation.HardSwish => v * Math.Clamp(v / 6 + 0.5, 0, 1),
        UnaryOperation.Silu => v / (1 + Math.Exp(-v)),
        _ => throw new ArgumentOutOfRangeException(nameof(operation)),
    };
}
