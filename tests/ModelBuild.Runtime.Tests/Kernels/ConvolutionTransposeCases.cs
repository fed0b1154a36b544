using ModelBuild.Kernels;

namespace ModelBuild.Runtime.Tests;

/// <summary>A transposed convolution. Channels are those of one group; height and width those of the input.</summary>
internal sealed record TransposedShape(int Height, int Width, int InputChannels, int OutputChannels, int KernelHeight, int KernelWidth, int StrideY,
    int StrideX)
{
    public int Images { get; init; } = 1;

    public int Groups { get; init; } = 1;

    public (int Y, int X) Dilation { get; init; } = (1, 1);

    public (int Top, int Left, int Bottom, int Right) Pads { get; init; }

    /// <summary>Rows and pixels behind the last ones.</summary>
    public (int Y, int X) Padding { get; init; }

    public bool Bias { get; init; } = true;

    public Added Added { get; init; }

    public UnaryOperation? Activation { get; init; }

    public (float Minimum, float Maximum) Limits { get; init; } = (float.NegativeInfinity, float.PositiveInfinity);

    /// <summary>Elements of others between pixels.</summary>
    public int Gap { get; init; }

    public int OutputHeight => (Height - 1) * StrideY + (KernelHeight - 1) * Dilation.Y + 1 + Padding.Y - Pads.Top - Pads.Bottom;

    public int OutputWidth => (Width - 1) * StrideX + (KernelWidth - 1) * Dilation.X + 1 + Padding.X - Pads.Left - Pads.Right;

    public override string ToString() => $"{(Images > 1 ? $"{Images} x " : "")}{Height}x{Width} {(Groups > 1 ? $"{Groups} groups of " : "")}"
        + $"{InputChannels} to {OutputChannels} by {KernelHeight}x{KernelWidth} s{StrideY},{StrideX} d{Dilation.Y},{Dilation.X} p{Pads.Top},{Pads.Left}"
        + $"{(Added == Added.Nothing ? "" : $" {Added}")}{(Activation is null ? "" : $" {Activation}")}";
}

/// <summary>Transposed float convolutions against plain loops in double.</summary>
internal static class ConvolutionTransposeCases
{
    public static readonly TransposedShape[] Shapes =
    [
        new(1, 1, 1, 1, 1, 1, 1, 1), new(5, 7, 24, 24, 2, 2, 2, 2), new(9, 10, 24, 1, 2, 2, 2, 2) { Activation = UnaryOperation.Sigmoid },
        new(6, 5, 8, 17, 3, 3, 2, 2) { Pads = (1, 1, 1, 1), Padding = (1, 1) },
        new(4, 6, 5, 33, 4, 4, 2, 2) { Pads = (1, 1, 1, 1), Images = 2, Gap = 1 },
        new(5, 5, 16, 40, 3, 3, 1, 1) { Pads = (1, 0, 1, 2), Added = Added.Apart },
        new(4, 5, 3, 6, 2, 3, 3, 4) { Padding = (1, 2), Added = Added.InPlace },
        new(6, 4, 7, 5, 3, 2, 2, 3) { Dilation = (2, 3), Pads = (1, 2, 0, 1), Bias = false },
        new(5, 6, 4, 6, 3, 3, 2, 1) { Groups = 3, Limits = (0, 1) },
        new(3, 4, 1, 2, 5, 5, 4, 2) { Groups = 4, Images = 3, Dilation = (3, 2), Pads = (4, 0, 5, 3), Gap = 3 },
        new(1, 30, 12, 70, 1, 8, 1, 4) { Pads = (0, 2, 0, 2) },
        new(16, 20, 3, 65, 3, 3, 2, 2) { Activation = UnaryOperation.HardSwish, Gap = 2, Added = Added.InPlace },
        new(3, 3, 2, 0, 2, 2, 2, 2), new(1, 3, 2, 3, 2, 2, 2, 2) { Pads = (1, 0, 1, 0) },
        new(4, 4, 6, 10, 3, 3, 6, 6) { Dilation = (4, 4) }, new(3, 3, 40, 300, 2, 2, 2, 2),
        new(5, 4, 3, 5, 2, 3, 2, 3) { Pads = (1, 2, 0, 1), Padding = (1, 2), Images = 2 }, new(4, 5, 6, 7, 2, 2, 2, 2) { Added = Added.Apart, Gap = 1 },
        new(5, 3, 8, 12, 2, 2, 2, 2) { Added = Added.InPlace, Activation = UnaryOperation.Silu, Limits = (-0.2f, 2) },
        new(4, 3, 9, 35, 1, 3, 1, 3) { Pads = (0, 1, 0, 0), Gap = 2, Limits = (0, 6) },
    ];

    public static void AddTo(Action<Kernel, string, Func<CaseResult>> add)
    {
        foreach (TransposedShape shape in Shapes) add(ConvolutionTransposeF32Arguments.Kernel, shape.ToString(), () => Run(shape));
    }

    /// <summary>The call, without strides and operands.</summary>
    public static ConvolutionTransposeF32Arguments Call(TransposedShape s) => new()
    {
        Images = Size.Of(s.Images), OutputHeight = Size.Of(s.OutputHeight), OutputWidth = Size.Of(s.OutputWidth),
        InputChannels = Size.Of(s.InputChannels), OutputChannels = Size.Of(s.OutputChannels), Groups = Size.Of(s.Groups),
        KernelHeight = Size.Of(s.KernelHeight), KernelWidth = Size.Of(s.KernelWidth), StrideY = Size.Of(s.StrideY), StrideX = Size.Of(s.StrideX),
        DilationY = Size.Of(s.Dilation.Y), DilationX = Size.Of(s.Dilation.X), PadTop = Size.Of(s.Pads.Top), PadLeft = Size.Of(s.Pads.Left),
        Activation = Size.Of(s.Activation is { } operation ? FusedActivation.Of(operation) : FusedActivation.None), Alpha = ConvolutionShape.Alpha,
        Beta = ConvolutionShape.Beta, Minimum = s.Limits.Minimum, Maximum = s.Limits.Maximum,
    };

    /// <summary>The operands, with just the border of zeros that the kernel asks for; inputs and weights are [N,C,H,W] too.</summary>
    public static (ImageOperands Operands, float[] X, float[] W) Operands(TransposedShape s)
    {
        TestRandom random = new(s.Height * 1000 + s.Width, s.InputChannels * 1000 + s.OutputChannels, s.Groups * 100 + s.KernelHeight * 10 + s.KernelWidth);
        int inputs = s.InputChannels * s.Groups, outputs = s.OutputChannels * s.Groups;
        ConvolutionTransposeF32Arguments call = Call(s);
        var (top, bottom) = ConvolutionTransposeF32Arguments.BorderY(call, s.Height);
        var (left, right) = ConvolutionTransposeF32Arguments.BorderX(call, s.Width);
        TestView x = new(s.Images, s.Height, s.Width, inputs) { Gap = s.Gap, Top = (int)top, Bottom = (int)bottom, Left = (int)left, Right = (int)right };
        TestView y = new(s.Images, s.OutputHeight, s.OutputWidth, outputs) { Gap = s.Gap, Top = 1, Right = 2, RowGap = 3 };
        TestView residual = s.Added == Added.InPlace ? y : new(s.Images, s.OutputHeight, s.OutputWidth, outputs) { Left = 1 };
        var values = new float[x.Length];
        float[] first = random.Floats(s.Images * inputs * s.Height * s.Width), w = random.Floats(inputs * s.OutputChannels * s.KernelHeight * s.KernelWidth);
        foreach ((var n, var r, var p, var c) in x.Elements) values[x.At(n, r, p, c)] = first[((n * inputs + c) * s.Height + r) * s.Width + p];
        var added = s.Added == Added.Nothing ? null : random.Floats(residual.Length);
        return (new(values, x, y)
        {
            W = (Packings.ConvolutionTransposeF32, ConvolutionTransposeF32Packing.Pack(w, s.Groups, s.OutputChannels, s.InputChannels,
                s.KernelHeight, s.KernelWidth, (s.StrideY, s.StrideX), s.Dilation)),
            Bias = s.Bias ? random.Floats(outputs) : null, ResidualView = residual, Residual = s.Added == Added.Apart ? added : null,
            InPlace = s.Added == Added.InPlace ? added : null,
        }, first, w);
    }

    /// <summary>The output, in the layout of its view.</summary>
    public static float[] Run(ConvolutionTransposeF32Arguments call, ImageOperands operands)
    {
        TestView x = operands.XView, y = operands.YView, r = operands.ResidualView!;
        return ImageCalls.Run(call with
        {
            XPixel = Size.Of(x.Pixel), XRow = Size.Of(x.Row), XImage = Size.Of(x.Image), YPixel = Size.Of(y.Pixel), YRow = Size.Of(y.Row),
            YImage = Size.Of(y.Image), ResidualPixel = Size.Of(r.Pixel), ResidualRow = Size.Of(r.Row), ResidualImage = Size.Of(r.Image),
        }, operands);
    }

    private static CaseResult Run(TransposedShape s)
    {
        (ImageOperands operands, var x, var w) = Operands(s);
        var actual = Run(Call(s), operands);
        TestView y = operands.YView;
        var sums = new double[actual.Length];
        var added = operands.Residual ?? operands.InPlace;
        foreach ((var n, var r, var p, var c) in y.Elements)
            sums[y.At(n, r, p, c)] = (operands.Bias?[c] ?? 0.0) + (added?[operands.ResidualView!.At(n, r, p, c)] ?? 0);
        foreach ((var n, var r, var p, var c) in operands.XView.Elements)
        {
            var value = x[((n * operands.XView.Channels + c) * s.Height + r) * s.Width + p];
            for (var ky = 0; ky < s.KernelHeight; ky++)
                for (var kx = 0; kx < s.KernelWidth; kx++)
                {
                    int row = r * s.StrideY + ky * s.Dilation.Y - s.Pads.Top, pixel = p * s.StrideX + kx * s.Dilation.X - s.Pads.Left;
                    if (row < 0 || row >= s.OutputHeight || pixel < 0 || pixel >= s.OutputWidth) continue;
                    for (var o = 0; o < s.OutputChannels; o++)
                    {
                        var weight = w[((c * s.OutputChannels + o) * s.KernelHeight + ky) * s.KernelWidth + kx];
                        sums[y.At(n, row, pixel, c / s.InputChannels * s.OutputChannels + o)] += (double)value * weight;
                    }
                }
        }
        double most = sums.Select(Math.Abs).DefaultIfEmpty().Max(), worst = 0;
        foreach ((var n, var r, var p, var c) in y.Elements)
        {
            var at = y.At(n, r, p, c);
            worst = Math.Max(worst, Math.Abs(Math.Clamp(ConvolutionCases.Activate(s.Activation, sums[at]), s.Limits.Minimum,
                s.Limits.Maximum) - actual[at]) / most);
        }
        return new CaseResult(worst, 1e-5, "");
    }
}
