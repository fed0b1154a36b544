using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>Pixels of y against one panel of weights.</summary>
internal unsafe struct ConvolutionInt8Tile
{
    /// <summary>The first element of each pixel's window.</summary>
    public byte** X;
    /// <summary>Where each pixel's part of the panel goes.</summary>
    public byte** Y;
    /// <summary>Where the runs of a window start, from its first element.</summary>
    public long* Offsets;
    public long Runs;
    /// <summary>Bytes of a run, a multiple of 4.</summary>
    public long RunLength;
    /// <summary>The panel, [rows/4][Width][4].</summary>
    public byte* W;
    /// <summary>What the sums start from.</summary>
    public int* Start;
    public float* Multiplier;
    public int Width;
    /// <summary>Columns that are channels of y.</summary>
    public int Filled;
    /// <summary>Pixels.</summary>
    public long Rows;
    /// <summary>Elements from y's pixel to the panel's part in it, in bytes.</summary>
    public long YOffset;
    public ByteOutput* Output;
}

/// <summary>One instruction-set path of the integer convolution; all are exact.</summary>
internal unsafe interface IConvolutionInt8Path
{
    /// <summary>Computes all pixels of the tile.</summary>
    static abstract void Run<TSource, TOutput>(ConvolutionInt8Tile* tile, bool narrow) where TSource : struct, IByteSource where TOutput : struct, IByteOutput;
}

/// <summary>AVX-VNNI: one instruction for four products, for any weights.</summary>
internal readonly unsafe struct ConvolutionInt8VnniPath : IConvolutionInt8Path
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TSource, TOutput>(ConvolutionInt8Tile* tile, bool narrow) where TSource : struct, IByteSource where TOutput : struct, IByteOutput =>
        ConvolutionInt8Avx2<VnniDot, TSource, TOutput>.Run(tile);
}

/// <summary>AVX-512 without dot products of its own: pairs of products in 16 bits for narrow weights, widened ones for others.</summary>
internal readonly unsafe struct ConvolutionInt8Avx512Path : IConvolutionInt8Path
{
    public static bool IsSupported => Avx512BW.IsSupported && Vector512.IsHardwareAccelerated;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TSource, TOutput>(ConvolutionInt8Tile* tile, bool narrow) where TSource : struct, IByteSource where TOutput : struct, IByteOutput
    {
        if (narrow) ConvolutionInt8Avx512<NarrowDot, TSource, TOutput>.Run(tile);
        else ConvolutionInt8Avx512<WideDot, TSource, TOutput>.Run(tile);
    }
}

/// <summary>AVX2, likewise.</summary>
internal readonly unsafe struct ConvolutionInt8Avx2Path : IConvolutionInt8Path
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TSource, TOutput>(ConvolutionInt8Tile* tile, bool narrow) where TSource : struct, IByteSource where TOutput : struct, IByteOutput
    {
        if (narrow) ConvolutionInt8Avx2<NarrowDot, TSource, TOutput>.Run(tile);
        else ConvolutionInt8Avx2<WideDot, TSource, TOutput>.Run(tile);
    }
}

/// <summary>Any CPU.</summary>
internal readonly unsafe struct ConvolutionInt8Vector128Path : IConvolutionInt8Path
{
    public static void Run<TSource, TOutput>(ConvolutionInt8Tile* tile, bool narrow) where TSource : struct, IByteSource where TOutput : struct, IByteOutput =>
        ConvolutionInt8Vector128<TOutput>.Run(tile, typeof(TSource) == typeof(SignedSource));
}

/// <summary>Cuts images into blocks of pixels, and blocks of channels where pixels are few; panels are read once for a block.</summary>
internal static unsafe class ConvolutionInt8Core
{
    /// <summary>Pixels of a block at most.</summary>
    private const int MostPixels = 64 + 8;

    // Blocks start at whole tiles.
    private const int TileRows = 6;

    public static long Tiles(in ConvolutionInt8Arguments a) => a.Images * PixelBlocks(in a) * ColumnBlocks(in a);

    /// <summary>Addresses of windows and pixels, offsets of runs, starts and multipliers of a panel.</summary>
    public static long Scratch(in ConvolutionInt8Arguments a) => sizeof(ByteOutput) + sizeof(long) * (2 * MostPixels + a.KernelRows * a.RunsOfRow) 
        + Panels.Wide * (sizeof(int) + sizeof(float));

    private static long PixelBlocks(in ConvolutionInt8Arguments a) => (a.OutputRows * a.OutputColumns + 63) / 64;

    // Few pixels and many channels: threads share channels.
    private static long ColumnBlocks(in ConvolutionInt8Arguments a) =>
        Math.Clamp((a.OutputChannels + 127) / 128, 1, Math.Max(4 / Math.Max(PixelBlocks(in a), 1), 1));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath>(ConvolutionInt8Arguments* a, long first, long last, byte* scratch) where TPath : struct, IConvolutionInt8Path
    {
        if (a->YType == ModelElementType.Float)
        {
            if (a->XType == ModelElementType.Int8) Run<TPath, SignedSource, FloatOutput>(a, first, last, scratch);
            else Run<TPath, UnsignedSource, FloatOutput>(a, first, last, scratch);
        }
        else if (a->XType == ModelElementType.Int8) Run<TPath, SignedSource, QuantizedOutput>(a, first, last, scratch);
        else Run<TPath, UnsignedSource, QuantizedOutput>(a, first, last, scratch);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TPath, TSource, TOutput>(ConvolutionInt8Arguments* a, long first, long last, byte* scratch)
        where TPath : struct, IConvolutionInt8Path where TSource : struct, IByteSource where TOutput : struct, IByteOutput
    {
        long n = a->OutputChannels, columns = a->OutputColumns, pixels = a->OutputRows * columns, packedRows = a->PackedRows, runsOfRow = a->RunsOfRow;
        long pixelBlocks = PixelBlocks(in *a), columnBlocks = ColumnBlocks(in *a), panels = (n + Panels.Wide - 1) / Panels.Wide;
        var narrow = a->Narrow == 1;
        var zero = (int)a->XZero + (typeof(TSource) == typeof(SignedSource) ? 128 : 0);
        var output = (ByteOutput*)scratch;
        *output = TOutput.Size == 1 ? new ByteOutput((long)a->YZero, a->YMinimum, a->YMaximum) : new ByteOutput(a->Minimum, a->Maximum);
        var multiplier = (float*)(output + 1);
        var start = (int*)(multiplier + Panels.Wide);
        var x = (byte**)(start + Panels.Wide);
        var y = x + MostPixels;
        var offsets = (long*)(y + MostPixels);
        var runs = a->KernelRows * runsOfRow;
        for (long i = 0; i < runs; i++) offsets[i] = i / runsOfRow * a->DilationRows * a->XRow + i % runsOfRow * a->DilationColumns * a->XPixel;
        ConvolutionInt8Tile tile = new()
        {
            Offsets = offsets, Runs = runs, RunLength = DenseInt8Packing.PaddedRows(a->RunLength), Start = start, Multiplier = multiplier,
            Output = output,
        };
        var sums = (int*)(byte*)a->W;
        var weights = (byte*)a->W + Panels.PaddedColumns(n) * sizeof(int);
        for (var index = first; index < last; index++)
        {
            var columnBlock = index % columnBlocks;
            var image = index / columnBlocks / pixelBlocks;
            var block = index / columnBlocks % pixelBlocks;
            long from = pixels * block / pixelBlocks / TileRows * TileRows, to = pixels * (block + 1) / pixelBlocks / TileRows * TileRows;
            if (block == pixelBlocks - 1) to = pixels;
            long row = from / columns, column = from % columns;
            for (var i = from; i < to; i++)
            {
                x[i - from] = (byte*)a->X + image * a->XImage + row * a->StrideRows * a->XRow + column * a->StrideColumns * a->XPixel;
                y[i - from] = (byte*)a->Y + (image * a->YImage + row * a->YRow + column * a->YPixel) * TOutput.Size;
                if (++column < columns) continue;
                column = 0;
                row++;
            }
            tile.X = x;
            tile.Y = y;
            tile.Rows = to - from;
            var lastPanel = panels * (columnBlock + 1) / columnBlocks;
            for (var panel = panels * columnBlock / columnBlocks; panel < lastPanel; panel++)
            {
                var channel = panel * Panels.Wide;
                tile.Width = Panels.WidthAt(channel, n);
                tile.Filled = (int)Math.Min(tile.Width, n - channel);
                tile.W = weights + channel * packedRows;
                tile.YOffset = channel * TOutput.Size;
                // (x - zero) w = x w - zero * (sum of w). Constants are padded, so whole panels may be read.
                for (var c = 0; c < tile.Width; c += 8)
                {
                    Vector256<int> bias = a->Bias.IsPresent ? Vector256.Load((int*)a->Bias + channel + c) : default;
                    (bias - Vector256.Load(sums + channel + c) * zero).Store(start + c);
                    Vector256.Load((float*)a->Multiplier + channel + c).Store(multiplier + c);
                }
                TPath.Run<TSource, TOutput>(&tile, narrow);
            }
        }
    }
}
