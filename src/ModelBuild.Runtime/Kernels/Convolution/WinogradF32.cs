using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// Dense float convolution, 3x3 with strides and dilations of 1, by Winograd's F(4x4, 3x3): 36 products where the direct way takes 144. Errors are about 1e-5
/// of the largest result, ten times those of the direct way. X is already padded, as for <see cref="ConvolutionF32Arguments"/>.
/// y = clamp(activation(x W + bias + residual)).
/// </summary>
internal unsafe struct WinogradF32Arguments : IKernelArguments<WinogradF32Arguments>
{
    // Bytes of transformed inputs that stay in the second cache while the panels of weights pass.
    private const long CacheBytes = 128 * 1024;

    private const long MostSquares = 84;

    // With fewer tiles than this, several threads share them unevenly: then tiles have fewer channels. A thread that gets another part of the same squares
    // transforms them again, so that these are few.
    private const long EnoughTiles = 8;

    /// <summary>Images, [Images, OutputHeight + 2, OutputWidth + 2, InputChannels].</summary>
    public Operand X;
    /// <summary><see cref="WinogradF32Packing"/>.</summary>
    public Operand W;
    /// <summary>Float[OutputChannels], or absent.</summary>
    public Operand Bias;
    /// <summary>What is added to the sums, in the shape of Y, or absent. May be Y itself.</summary>
    public Operand Residual;
    /// <summary>[Images, OutputHeight, OutputWidth, OutputChannels].</summary>
    public Operand Y;
    public Size Images, OutputHeight, OutputWidth, InputChannels, OutputChannels;
    /// <summary>Elements from one pixel of X to the next in a row, from one row to the next, and from one image to the next.</summary>
    public Size XPixel, XRow, XImage;
    public Size YPixel, YRow, YImage;
    public Size ResidualPixel, ResidualRow, ResidualImage;
    /// <summary><see cref="FusedActivation"/>.</summary>
    public Size Activation;
    /// <summary>Parameters of the activation.</summary>
    public float Alpha, Beta;
    /// <summary>Limits of the result: infinities for none.</summary>
    public float Minimum, Maximum;

    public static Kernel<WinogradF32Arguments> Kernel { get; } = new(KernelIds.WinogradF32, nameof(WinogradF32),
        new("avx512", Lanes512.IsSupported, &WinogradF32.Run<ConvolutionF32Avx512, Lanes512, Vector512<float>>),
        new("avx2", Lanes256.IsSupported, &WinogradF32.Run<ConvolutionF32Fma, Lanes256, Vector256<float>>),
        new("vector128", true, &WinogradF32.Run<ConvolutionF32Vector128, Lanes128, Vector128<float>>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.WinogradF32);
        visitor.Constant(ref Bias, nameof(Bias), Packings.Raw);
        visitor.Input(ref Residual, nameof(Residual), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref OutputHeight, nameof(OutputHeight));
        visitor.Size(ref OutputWidth, nameof(OutputWidth));
        visitor.Size(ref InputChannels, nameof(InputChannels));
        visitor.Size(ref OutputChannels, nameof(OutputChannels));
        visitor.Size(ref XPixel, nameof(XPixel));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref XImage, nameof(XImage));
        visitor.Size(ref YPixel, nameof(YPixel));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref YImage, nameof(YImage));
        visitor.Size(ref ResidualPixel, nameof(ResidualPixel));
        visitor.Size(ref ResidualRow, nameof(ResidualRow));
        visitor.Size(ref ResidualImage, nameof(ResidualImage));
        visitor.Size(ref Activation, nameof(Activation));
        visitor.Number(ref Alpha, nameof(Alpha));
        visitor.Number(ref Beta, nameof(Beta));
        visitor.Number(ref Minimum, nameof(Minimum));
        visitor.Number(ref Maximum, nameof(Maximum));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, W, Y);
        check.Sizes(Images, OutputHeight, OutputWidth, InputChannels, OutputChannels, XPixel, XRow, XImage, YPixel, YRow, YImage,
            ResidualPixel, ResidualRow, ResidualImage);
        check.InRange(Activation, FusedActivation.None, FusedActivation.Last);
        if (OutputHeight > 0 && OutputWidth > 0)
            ImageView.Reach(check, X, (Images, XImage), (OutputHeight + 2, XRow), (OutputWidth + 2, XPixel), InputChannels);
        check.Bytes(W, checked(sizeof(float) * WinogradF32Packing.Length(OutputChannels, InputChannels)));
        check.Bytes(Bias, sizeof(float) * OutputChannels);
        ImageView.Written(check, Y, (Images, YImage), (OutputHeight, YRow), (OutputWidth, YPixel), OutputChannels);
        ImageView.Reach(check, Residual, (Images, ResidualImage), (OutputHeight, ResidualRow), (OutputWidth, ResidualPixel), OutputChannels);
    }

    public readonly long Tiles => SquareBlocks * PanelBlocks;

    public readonly long Scratch => Tiles == 0 ? 0
        : sizeof(float) * (Points * (InputPoint + SumPoint) + Points * 16 + Kernels.Panels.Wide) + sizeof(long) * 2 * BlockSquares;

    public readonly double Work => (double)Squares * Points * InputChannels * OutputChannels;

    private const long Points = WinogradF32Packing.Points;

    /// <summary>Squares of 4x4 output pixels in a column and in a row of an image, and in all.</summary>
    internal readonly long SquaresDown => DivideUp(OutputHeight, 4);

    internal readonly long SquaresAcross => DivideUp(OutputWidth, 4);

    internal readonly long Squares => Images * SquaresDown * SquaresAcross;

    /// <summary>Input channels with padding to a cache line.</summary>
    internal readonly long LineChannels => DivideUp(InputChannels, 16) * 16;

    /// <summary>Squares of a tile; the last may have fewer.</summary>
    internal readonly long BlockSquares
    {
        get
        {
            var most = Math.Clamp(CacheBytes / (Points * sizeof(float) * Math.Max(LineChannels, 16)) / 14 * 14, 14, MostSquares);
            var squares = Math.Max(Squares, 1);
            return Math.Min(DivideUp(DivideUp(squares, DivideUp(squares, most)), 14) * 14, squares);
        }
    }

    /// <summary>Floats of scratch memory from a point's inputs to the next one's, and from its sums to the next one's. 36 points of a square are written one
    /// after the other: an odd number of cache lines between them spreads these over the sets of the cache.</summary>
    internal readonly long InputPoint => (BlockSquares * LineChannels / 16 | 1) * 16;

    internal readonly long SumPoint => BlockSquares * Kernels.Panels.Wide + 16;

    internal readonly long SquareBlocks => DivideUp(Squares, BlockSquares);

    internal readonly long Panels => DivideUp(OutputChannels, Kernels.Panels.Wide);

    /// <summary>Panels of weights of a tile; the last may have fewer.</summary>
    internal readonly long BlockPanels
    {
        get
        {
            long blocks = SquareBlocks;
            return blocks == 0 || Panels == 0 ? 1 : DivideUp(Panels, Math.Min(DivideUp(EnoughTiles, blocks), Panels));
        }
    }

    internal readonly long PanelBlocks => DivideUp(Panels, BlockPanels);

    private static long DivideUp(long value, long by) => (value + by - 1) / by;
}

/// <summary>
/// Tiles of the Winograd convolution: a block of squares of 4x4 output pixels times some panels of weights. All channels of the squares are transformed once
/// into the worker's scratch memory, <c>[36][squares][channels]</c>; then for each panel 36 small matrix products, by the tiles of the direct convolution, and
/// the transform back.
/// </summary>
internal static unsafe class WinogradF32
{
    private const int Points = WinogradF32Packing.Points;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath, L, V>(WinogradF32Arguments* a, long first, long last, byte* scratch)
        where TPath : struct, IConvolutionF32Path where L : struct, ILanes<V> where V : unmanaged
    {
        // Without tiles there is no scratch memory either.
        if (first >= last) return;
        long blockSquares = a->BlockSquares, lineChannels = a->LineChannels, squares = a->Squares, blockPanels = a->BlockPanels, panelBlocks = a->PanelBlocks;
        long inputPoint = a->InputPoint, sumPoint = a->SumPoint, panels = a->Panels, inputs = a->InputChannels, outputs = a->OutputChannels;
        float* inputsAt = (float*)scratch, sums = inputsAt + Points * inputPoint, half = sums + Points * sumPoint;
        var zeros = half + Points * 16;
        long* xOffsets = (long*)(zeros + Panels.Wide), yOffsets = xOffsets + blockSquares;
        for (var i = 0; i < Panels.Wide; i++) zeros[i] = 0;
        for (long i = 0; i < blockSquares; i++)
        {
            xOffsets[i] = i * lineChannels * sizeof(float);
            yOffsets[i] = i * Panels.Wide;
        }
        ConvolutionF32Tile tile = new()
        {
            Start = zeros, TapsY = 1, TapsX = 1, Run = inputs, Minimum = float.NegativeInfinity, Maximum = float.PositiveInfinity,
        };
        long transformed = -1;
        for (var t = first; t < last; t++)
        {
            long block = t / panelBlocks, square = block * blockSquares, count = Math.Min(blockSquares, squares - square);
            if (block != transformed)
            {
                TransformInputs<L, V>(a, square, count, inputsAt, half);
                transformed = block;
            }
            long panel = t % panelBlocks * blockPanels, end = Math.Min(panel + blockPanels, panels);
            for (; panel < end; panel++)
            {
                var column = panel * Panels.Wide;
                tile.Width = Panels.WidthAt(column, outputs);
                tile.Columns = tile.Width;
                for (var point = 0; point < Points; point++)
                {
                    tile.X = (byte*)(inputsAt + point * inputPoint);
                    tile.W = (float*)a->W + (Points * column + point * tile.Width) * inputs;
                    tile.Y = sums + point * sumPoint;
                    long parts = (count + TPath.MostRows - 1) / TPath.MostRows, done = 0;
                    for (long part = 0; part < parts; part++)
                    {
                        tile.Rows = (int)((count - done + parts - part - 1) / (parts - part));
                        tile.XOffsets = xOffsets + done;
                        tile.YOffsets = yOffsets + done;
                        TPath.Run(&tile);
                        done += tile.Rows;
                    }
                }
                TransformOutputs<L, V>(a, square, count, sums, sumPoint, column, half);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformInputs<L, V>(WinogradF32Arguments* a, long square, long count, float* target, float* half)
        where L : struct, ILanes<V> where V : unmanaged
    {
        long across = a->SquaresAcross, down = a->SquaresDown, lineChannels = a->LineChannels, point = a->InputPoint;
        for (long i = 0; i < count; i++, target += lineChannels)
        {
            long at = square + i, column = at % across * 4, row = at / across % down * 4, image = at / across / down;
            var x = (float*)a->X + image * a->XImage + row * a->XRow + column * a->XPixel;
            long rows = Math.Min(6, a->OutputHeight + 2 - row), columns = Math.Min(6, a->OutputWidth + 2 - column);
            for (long channel = 0; channel < a->InputChannels; channel += L.Count)
            {
                if (rows == 6 && columns == 6) TransformInput<L, V, No>(x + channel, a->XRow, a->XPixel, 6, 6, target + channel, point, half);
                else TransformInput<L, V, Yes>(x + channel, a->XRow, a->XPixel, rows, columns, target + channel, point, half);
            }
        }
    }

    // Bᵀ d B, by columns and then by rows. Inputs beyond the image are zeros: what lies there may not even be a number.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformInput<L, V, TEdge>(float* x, long xRow, long xPixel, long rows, long columns, float* target, long point, float* half)
        where L : struct, ILanes<V> where V : unmanaged where TEdge : struct, IFlag
    {
        V two = L.Create(2), four = L.Create(4), five = L.Create(5), minusFour = L.Create(-4), zero = L.Create(0);
        float* h = half, end = half + 6 * 16;
        for (var column = 0; h < end; h += 16, x += xPixel, column++)
        {
            V d0, d1, d2, d3, d4, d5;
            // What the square to the right needs beyond this one. A prefetch never faults, wherever it points.
            if (Sse.IsSupported && column >= 2)
            {
                var next = x + 4 * xPixel;
                Sse.Prefetch0(next);
                Sse.Prefetch0(next + xRow);
                Sse.Prefetch0(next + 2 * xRow);
                Sse.Prefetch0(next + 3 * xRow);
                Sse.Prefetch0(next + 4 * xRow);
                Sse.Prefetch0(next + 5 * xRow);
            }
            if (TEdge.Value)
            {
                var inside = column < columns ? rows : 0;
                d0 = inside > 0 ? L.Load(x) : zero;
                d1 = inside > 1 ? L.Load(x + xRow) : zero;
                d2 = inside > 2 ? L.Load(x + 2 * xRow) : zero;
                d3 = inside > 3 ? L.Load(x + 3 * xRow) : zero;
                d4 = inside > 4 ? L.Load(x + 4 * xRow) : zero;
                d5 = inside > 5 ? L.Load(x + 5 * xRow) : zero;
            }
            else
            {
                d0 = L.Load(x);
                d1 = L.Load(x + xRow);
                d2 = L.Load(x + 2 * xRow);
                d3 = L.Load(x + 3 * xRow);
                d4 = L.Load(x + 4 * xRow);
                d5 = L.Load(x + 5 * xRow);
            }
            V a = L.MultiplyAdd(minusFour, d2, d4), b = L.MultiplyAdd(minusFour, d1, d3), c = L.Subtract(d4, d2), e = L.Multiply(two, L.Subtract(d3, d1));
            L.Store(h, L.Subtract(L.MultiplyAdd(four, d0, d4), L.Multiply(five, d2)));
            L.Store(h + 96, L.Add(a, b));
            L.Store(h + 2 * 96, L.Subtract(a, b));
            L.Store(h + 3 * 96, L.Add(c, e));
            L.Store(h + 4 * 96, L.Subtract(c, e));
            L.Store(h + 5 * 96, L.Subtract(L.MultiplyAdd(four, d1, d5), L.Multiply(five, d3)));
        }
        for (h = half, end = half + 36 * 16; h < end; h += 96, target += 6 * point)
        {
            V d0 = L.Load(h), d1 = L.Load(h + 16), d2 = L.Load(h + 32), d3 = L.Load(h + 48), d4 = L.Load(h + 64), d5 = L.Load(h + 80);
            V a = L.MultiplyAdd(minusFour, d2, d4), b = L.MultiplyAdd(minusFour, d1, d3), c = L.Subtract(d4, d2), e = L.Multiply(two, L.Subtract(d3, d1));
            L.Store(target, L.Subtract(L.MultiplyAdd(four, d0, d4), L.Multiply(five, d2)));
            L.Store(target + point, L.Add(a, b));
            L.Store(target + 2 * point, L.Subtract(a, b));
            L.Store(target + 3 * point, L.Add(c, e));
            L.Store(target + 4 * point, L.Subtract(c, e));
            L.Store(target + 5 * point, L.Subtract(L.MultiplyAdd(four, d1, d5), L.Multiply(five, d3)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformOutputs<L, V>(WinogradF32Arguments* a, long square, long count, float* sums, long point, long panel, float* half)
        where L : struct, ILanes<V> where V : unmanaged
    {
        delegate*<float*, long, in ActivationParameters, void> activation = FusedActivation.Select(a->Activation);
        ActivationParameters parameters = new(a->Alpha, a->Beta, a->Minimum, a->Maximum);
        long across = a->SquaresAcross, down = a->SquaresDown, channels = Math.Min(Panels.Wide, a->OutputChannels - panel);
        WinogradF32Square s = new()
        {
            Point = point, Half = half, YPixel = a->YPixel, YRow = a->YRow, ResidualPixel = a->ResidualPixel, ResidualRow = a->ResidualRow,
            Minimum = activation == null ? a->Minimum : float.NegativeInfinity, Maximum = activation == null ? a->Maximum : float.PositiveInfinity,
        };
        for (long i = 0; i < count; i++, sums += Panels.Wide)
        {
            long at = square + i, column = at % across * 4, row = at / across % down * 4, image = at / across / down;
            s.Rows = Math.Min(4, a->OutputHeight - row);
            s.Columns = Math.Min(4, a->OutputWidth - column);
            var y = (float*)a->Y + image * a->YImage + row * a->YRow + column * a->YPixel + panel;
            var residual = a->Residual.IsPresent
                ? (float*)a->Residual + image * a->ResidualImage + row * a->ResidualRow + column * a->ResidualPixel + panel : null;
            for (long channel = 0; channel < channels; channel += L.Count)
            {
                s.Sums = sums + channel;
                s.Y = y + channel;
                s.Residual = residual == null ? null : residual + channel;
                s.Bias = a->Bias.IsPresent ? (float*)a->Bias + panel + channel : null;
                s.Lanes = (int)Math.Min(L.Count, channels - channel);
                if (s.Residual == null && s.Lanes == L.Count && s.Rows == 4 && s.Columns == 4) TransformOutput<L, V, No>(&s);
                else TransformOutput<L, V, Yes>(&s);
            }
            if (activation == null) continue;
            for (long r = 0; r < s.Rows; r++)
            {
                for (long c = 0; c < s.Columns; c++) activation(y + r * a->YRow + c * a->YPixel, channels, parameters);
            }
        }
    }

    // Aᵀ m A, by columns and then by rows.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformOutput<L, V, TEdge>(WinogradF32Square* s) where L : struct, ILanes<V> where V : unmanaged where TEdge : struct, IFlag
    {
        V two = L.Create(2), four = L.Create(4), eight = L.Create(8), low = L.Create(s->Minimum), high = L.Create(s->Maximum), mask = L.Mask(s->Lanes);
        V bias = s->Bias == null ? L.Create(0) : L.Load(s->Bias);
        float* h = s->Half, end = h + 6 * 16, m = s->Sums;
        var point = s->Point;
        for (; h < end; h += 16, m += point)
        {
            V m0 = L.Load(m), m1 = L.Load(m + 6 * point), m2 = L.Load(m + 12 * point), m3 = L.Load(m + 18 * point), m4 = L.Load(m + 24 * point);
            V a = L.Add(m1, m2), b = L.Subtract(m1, m2), c = L.Add(m3, m4), d = L.Subtract(m3, m4);
            L.Store(h, L.Add(L.Add(m0, a), c));
            L.Store(h + 96, L.MultiplyAdd(two, d, b));
            L.Store(h + 2 * 96, L.MultiplyAdd(four, c, a));
            L.Store(h + 3 * 96, L.Add(L.MultiplyAdd(eight, d, b), L.Load(m + 30 * point)));
        }
        var y = s->Y;
        var residual = s->Residual;
        h = s->Half;
        for (var rows = TEdge.Value ? s->Rows : 4; rows > 0; rows--, h += 96, y += s->YRow)
        {
            V m0 = L.Load(h), m1 = L.Load(h + 16), m2 = L.Load(h + 32), m3 = L.Load(h + 48), m4 = L.Load(h + 64), m5 = L.Load(h + 80);
            V a = L.Add(m1, m2), b = L.Add(L.Subtract(m1, m2), bias), c = L.Add(m3, m4), d = L.Subtract(m3, m4);
            a = L.Add(a, bias);
            V y0 = L.Add(L.Add(m0, a), c), y1 = L.MultiplyAdd(two, d, b), y2 = L.MultiplyAdd(four, c, a), y3 = L.Add(L.MultiplyAdd(eight, d, b), m5);
            if (TEdge.Value)
            {
                Store<L, V>(s, y, residual, 0, y0, low, high, mask);
                Store<L, V>(s, y, residual, 1, y1, low, high, mask);
                Store<L, V>(s, y, residual, 2, y2, low, high, mask);
                Store<L, V>(s, y, residual, 3, y3, low, high, mask);
                if (residual != null) residual += s->ResidualRow;
            }
            else
            {
                L.Store(y, L.AtMost(high, L.AtLeast(low, y0)));
                L.Store(y + s->YPixel, L.AtMost(high, L.AtLeast(low, y1)));
                L.Store(y + 2 * s->YPixel, L.AtMost(high, L.AtLeast(low, y2)));
                L.Store(y + 3 * s->YPixel, L.AtMost(high, L.AtLeast(low, y3)));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<L, V>(WinogradF32Square* s, float* y, float* residual, int column, V value, V low, V high, V mask)
        where L : struct, ILanes<V> where V : unmanaged
    {
        if (column >= s->Columns) return;
        if (residual != null) value = L.Add(value, L.Load(residual + column * s->ResidualPixel));
        value = L.AtMost(high, L.AtLeast(low, value));
        if (s->Lanes == L.Count) L.Store(y + column * s->YPixel, value);
        else L.StoreFirst(y + column * s->YPixel, value, mask, s->Lanes);
    }
}

/// <summary>A square of up to 4x4 output pixels of one vector of channels.</summary>
internal unsafe struct WinogradF32Square
{
    /// <summary>The first of 36 sums, and the floats from one to the next.</summary>
    public float* Sums;
    public long Point;
    /// <summary>Place for 36 vectors.</summary>
    public float* Half;
    public float* Bias, Residual, Y;
    public long YPixel, YRow, ResidualPixel, ResidualRow;
    /// <summary>Pixels that there are.</summary>
    public long Rows, Columns;
    public int Lanes;
    public float Minimum, Maximum;
}
