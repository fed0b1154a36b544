using ModelBuild.Kernels;

namespace ModelBuild.Runtime.Tests;

/// <summary>A pooling of images.</summary>
internal sealed record PoolShape(int Height, int Width, int Channels, int KernelHeight, int KernelWidth)
{
    public int Images { get; init; } = 1;

    public (int Y, int X) Stride { get; init; } = (1, 1);

    public (int Y, int X) Dilation { get; init; } = (1, 1);

    public (int Top, int Left, int Bottom, int Right) Pads { get; init; }

    /// <summary>The last window may reach beyond the padding.</summary>
    public bool Ceiling { get; init; }

    public long Kind { get; init; }

    /// <summary>Elements of others between pixels.</summary>
    public int Gap { get; init; }

    /// <summary>One input is not a number.</summary>
    public bool NotANumber { get; init; }

    public int OutputHeight => Output(Height + Pads.Top + Pads.Bottom, KernelHeight, Stride.Y, Dilation.Y, Height + Pads.Top);

    public int OutputWidth => Output(Width + Pads.Left + Pads.Right, KernelWidth, Stride.X, Dilation.X, Width + Pads.Left);

    public override string ToString() => $"{Kind switch { PoolKind.Maximum => "maximum", PoolKind.Average => "average", _ => "padded average" }} "
        + $"{(Images > 1 ? $"{Images} x " : "")}{Height}x{Width}x{Channels} by {KernelHeight}x{KernelWidth} s{Stride.Y},{Stride.X} d{Dilation.Y},{Dilation.X} "
        + $"p{Pads.Top},{Pads.Left},{Pads.Bottom},{Pads.Right}{(Ceiling ? " ceiling" : "")}{(Gap > 0 ? " gap" : "")}{(NotANumber ? " not a number" : "")}";

    /// <summary>The call, without strides and operands.</summary>
    public PoolF32Arguments Call(TestView x, TestView y) => new()
    {
        Images = Size.Of(Images), InputHeight = Size.Of(Height), InputWidth = Size.Of(Width), OutputHeight = Size.Of(OutputHeight),
        OutputWidth = Size.Of(OutputWidth), Channels = Size.Of(Channels), KernelHeight = Size.Of(KernelHeight), KernelWidth = Size.Of(KernelWidth),
        StrideY = Size.Of(Stride.Y), StrideX = Size.Of(Stride.X), DilationY = Size.Of(Dilation.Y), DilationX = Size.Of(Dilation.X),
        PadTop = Size.Of(Pads.Top), PadLeft = Size.Of(Pads.Left), PadBottom = Size.Of(Pads.Bottom), PadRight = Size.Of(Pads.Right),
        XPixel = Size.Of(x.Pixel), XRow = Size.Of(x.Row), XImage = Size.Of(x.Image), YPixel = Size.Of(y.Pixel), YRow = Size.Of(y.Row),
        YImage = Size.Of(y.Image), Kind = Size.Of(Kind),
    };

    // A window that begins in the padding behind the image is none.
    private int Output(int size, int kernel, int stride, int dilation, int last)
    {
        var room = size - (kernel - 1) * dilation - 1;
        var count = room / stride + 1;
        return Ceiling && room % stride != 0 && count * stride < last ? count + 1 : count;
    }
}

/// <summary>Pooling against plain loops in double.</summary>
internal static class PoolCases
{
    public static readonly PoolShape[] Shapes =
    [
        new(1, 1, 1, 1, 1), new(8, 10, 16, 2, 2) { Stride = (2, 2) }, new(9, 7, 24, 3, 3) { Stride = (2, 2), Pads = (1, 1, 1, 1) },
        new(12, 13, 1, 3, 3) { Pads = (1, 1, 1, 1) }, new(9, 11, 3, 2, 2) { Stride = (2, 2), Ceiling = true, Images = 2 },
        new(7, 7, 130, 7, 7) { Images = 2 }, new(10, 6, 5, 3, 2) { Stride = (1, 2), Pads = (0, 1, 2, 0), Gap = 3 },
        new(9, 9, 33, 2, 3) { Dilation = (3, 2), Gap = 1 }, new(8, 9, 70, 3, 3) { Stride = (2, 1), Ceiling = true, Pads = (1, 0, 0, 1) },
        new(6, 40, 4, 1, 5) { Pads = (0, 2, 0, 2), Gap = 2 }, new(13, 5, 2, 5, 1) { Stride = (3, 1), Dilation = (2, 1), Pads = (2, 0, 4, 0) },
        new(14, 14, 512, 2, 2) { Stride = (2, 2) }, new(6, 6, 10, 3, 3) { Pads = (2, 2, 2, 2), Dilation = (2, 2) }, new(5, 5, 0, 2, 2),
        new(40, 40, 8, 3, 3) { Stride = (2, 2), Pads = (1, 1, 1, 1) },
    ];

    public static void AddTo(Action<Kernel, string, Func<CaseResult>> add)
    {
        foreach (PoolShape shape in Shapes)
        {
            for (var kind = PoolKind.Maximum; kind <= PoolKind.PaddedAverage; kind++)
            {
                PoolShape s = shape with { Kind = kind };
                add(PoolF32Arguments.Kernel, s.ToString(), () => Pool(s));
            }
        }
        foreach (var channels in new[] { 1, 20 })
        {
            foreach (var kernel in new[] { 2, 3, 4 })
            {
                PoolShape s = new(9, 9, channels, kernel, kernel) { NotANumber = true };
                add(PoolF32Arguments.Kernel, s.ToString(), () => Pool(s));
            }
        }
    }

    private static CaseResult Pool(PoolShape s)
    {
        TestView x = new(s.Images, s.Height, s.Width, s.Channels) { Gap = s.Gap, Top = s.Gap, RowGap = s.Gap };
        TestView y = new(s.Images, s.OutputHeight, s.OutputWidth, s.Channels) { Gap = s.Gap, Top = 1, Left = 1, Right = 2, RowGap = 1 };
        float[] values = [.. new TestRandom(s.Height, s.Width, s.Channels).Floats(x.Length).Select(v => v - 2)];
        // What lies around the image is no part of it.
        for (var i = 0; i < x.First; i++) values[i] = 1e6f;
        if (s.NotANumber) values[x.At(0, 4, 4, s.Channels - 1)] = float.NaN;
        var result = ImageCalls.Run(s.Call(x, y), new(values, x, y));
        double worst = 0;
        foreach ((var n, var row, var pixel, var c) in y.Elements)
        {
            double sum = 0, most = double.NegativeInfinity, count = 0;
            for (var ky = 0; ky < s.KernelHeight; ky++)
                for (var kx = 0; kx < s.KernelWidth; kx++)
                {
                    int iy = row * s.Stride.Y - s.Pads.Top + ky * s.Dilation.Y, ix = pixel * s.Stride.X - s.Pads.Left + kx * s.Dilation.X;
                    var inside = iy >= 0 && iy < s.Height && ix >= 0 && ix < s.Width;
                    if (inside || s.Kind == PoolKind.PaddedAverage && iy < s.Height + s.Pads.Bottom && ix < s.Width + s.Pads.Right) count++;
                    if (!inside) continue;
                    sum += values[x.At(n, iy, ix, c)];
                    most = Math.Max(most, values[x.At(n, iy, ix, c)]);
                }
            double expected = s.Kind == PoolKind.Maximum ? most : sum / count, actual = result[y.At(n, row, pixel, c)];
            Assert.Equal(double.IsNaN(expected), double.IsNaN(actual));
            if (actual != expected && !double.IsNaN(expected)) worst = Math.Max(worst, Math.Abs(actual - expected));
        }
        return new CaseResult(worst, s.Kind == PoolKind.Maximum ? 0 : 1e-5, "");
    }
}
