using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// The integer depthwise convolution of images whose channels come last: each channel with a kernel of its own, y = round half even((sum of (x - XZero) w +
/// bias) * multiplier[channel]) + YZero, within YMinimum .. YMaximum, as QLinearConv. Int32 sums, exact. The border of padded images holds XZero.
/// </summary>
internal unsafe struct DepthwiseInt8Arguments : IKernelArguments<DepthwiseInt8Arguments>
{
    /// <summary>UInt8 or Int8.</summary>
    public ModelElementType XType, YType;
    /// <summary>The first element of the first window, border included.</summary>
    public Operand X;
    /// <summary>The weights: <see cref="DepthwiseInt8Packing"/>; <see cref="Packings.DepthwiseInt7"/> if <see cref="Narrow"/>.</summary>
    public Operand W;
    /// <summary>Channels int32, or left out.</summary>
    public Operand Bias;
    /// <summary>Channels floats: input scale * weight scale / output scale.</summary>
    public Operand Multiplier;
    public Operand Y;
    public Size Images, OutputRows, OutputColumns, Channels;
    public Size KernelRows, KernelColumns, StrideRows, StrideColumns, DilationRows, DilationColumns;
    /// <summary>Elements from one pixel, row or image to the next.</summary>
    public Size XPixel, XRow, XImage, YPixel, YRow, YImage;
    /// <summary>1 if all weights are within -64 to 64.</summary>
    public Size Narrow;
    public Size XZero, YZero, YMinimum, YMaximum;

    public static Kernel<DepthwiseInt8Arguments> Kernel { get; } = new(KernelIds.DepthwiseInt8, "DepthwiseInt8",
        new("avxvnni", AvxVnni.IsSupported, &DepthwiseInt8.Run<DepthwiseInt8Avx2<VnniDot>, DepthwiseInt8Avx2<VnniDot>>),
        new("avx2", Avx2.IsSupported, &DepthwiseInt8.Run<DepthwiseInt8Avx2<NarrowDot>, DepthwiseInt8Avx2<WideDot>>),
        new("vector128", true, &DepthwiseInt8.Run<DepthwiseInt8Vector128, DepthwiseInt8Vector128>));

    public readonly long Tiles => DepthwiseInt8.Tiles(in this);

    public readonly long Scratch => DepthwiseInt8.Scratch(in this);

    public readonly double Work => (double)Images * OutputRows * OutputColumns * Channels * KernelRows * KernelColumns;

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref XType, nameof(XType));
        visitor.Type(ref YType, nameof(YType));
        visitor.Input(ref X, nameof(X), XType);
        visitor.Constant(ref W, nameof(W), Packings.DepthwiseInt8, Packings.DepthwiseInt7);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Int32);
        visitor.Input(ref Multiplier, nameof(Multiplier), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), YType);
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref OutputRows, nameof(OutputRows));
        visitor.Size(ref OutputColumns, nameof(OutputColumns));
        visitor.Size(ref Channels, nameof(Channels));
        visitor.Size(ref KernelRows, nameof(KernelRows));
        visitor.Size(ref KernelColumns, nameof(KernelColumns));
        visitor.Size(ref StrideRows, nameof(StrideRows));
        visitor.Size(ref StrideColumns, nameof(StrideColumns));
        visitor.Size(ref DilationRows, nameof(DilationRows));
        visitor.Size(ref DilationColumns, nameof(DilationColumns));
        visitor.Size(ref XPixel, nameof(XPixel));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref XImage, nameof(XImage));
        visitor.Size(ref YPixel, nameof(YPixel));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref YImage, nameof(YImage));
        visitor.Size(ref Narrow, nameof(Narrow));
        visitor.Size(ref XZero, nameof(XZero));
        visitor.Size(ref YZero, nameof(YZero));
        visitor.Size(ref YMinimum, nameof(YMinimum));
        visitor.Size(ref YMaximum, nameof(YMaximum));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, W, Multiplier, Y);
        check.Sizes(Images, OutputRows, OutputColumns, Channels, KernelRows, KernelColumns, StrideRows, StrideColumns, DilationRows, DilationColumns, XPixel,
            XRow, XImage, YPixel, YRow, YImage);
        check.InRange(Channels, 1, int.MaxValue);
        ImageChecks.Kernel(check, KernelRows, KernelColumns);
        check.InRange(Narrow, 0, 1);
        check.Packed(W, Narrow == 1 ? Packings.DepthwiseInt7 : Packings.DepthwiseInt8);
        check.Bytes(W, DepthwiseInt8Packing.Length(Channels, KernelRows, KernelColumns));
        check.Reaches(Bias, Channels);
        check.Reaches(Multiplier, Channels);
        ImageChecks.Input(check, X, Images, OutputRows, OutputColumns, Channels, KernelRows, KernelColumns, StrideRows, StrideColumns, DilationRows,
            DilationColumns, XPixel, XRow, XImage);
        check.Sizes(Size.Of(Scratch));
        ImageChecks.Output(check, Y, Images, OutputRows, OutputColumns, Channels, YPixel, YRow, YImage);
        ImageChecks.Quantization(check, XType, YType, XZero, YZero, YMinimum, YMaximum, mayBeFloat: false);
    }
}

/// <summary>
/// A part of a row of y in one block of channels. Interleaved columns hold, for each column of x under the row, groups of 4 rows, 32 channels: 4 bytes of a
/// channel side by side, one from each row.
/// </summary>
internal unsafe struct DepthwiseInt8Tile
{
    /// <summary>The first element of the first window.</summary>
    public byte* X;
    public byte* Interleaved;
    /// <summary>Columns of x under the part.</summary>
    public long Columns;
    public long XPixel;
    /// <summary>From one row of the kernel to the next.</summary>
    public long XRow;
    public long KernelRows;
    public long KernelColumns;
    public long Groups;
    /// <summary>0x80 in each byte if x is int8.</summary>
    public byte Turn;
    /// <summary>Bytes of interleaved columns from one pixel of y to the next.</summary>
    public long PixelStep;
    /// <summary>Bytes of interleaved columns from one column of the kernel to the next.</summary>
    public long KernelStep;
    /// <summary>The block's weights.</summary>
    public sbyte* W;
    /// <summary>What sums start from.</summary>
    public int* Start;
    public float* Multiplier;
    public byte* Y;
    public long YPixel;
    public long Pixels;
    /// <summary>Channels of the block.</summary>
    public int Filled;
    public ByteOutput* Output;
}

/// <summary>One instruction-set path of the integer depthwise convolution; all are exact.</summary>
internal unsafe interface IDepthwiseInt8Path
{
    /// <summary>Interleaves the columns of x under a part of a row.</summary>
    static abstract void Interleave(DepthwiseInt8Tile* tile);

    /// <summary>Computes the part.</summary>
    static abstract void Run(DepthwiseInt8Tile* tile);
}

/// <summary>Cuts images into parts of rows, and these into blocks of channels.</summary>
internal static unsafe class DepthwiseInt8
{
    /// <summary>Bytes of 4 rows of a column.</summary>
    public const int GroupBytes = 4 * DepthwiseInt8Packing.Block;

    // Pixels of a part: interleaved columns stay in the inner cache.
    private const int MostPixels = 64;

    // Pixels of a tile: what is prepared for a block of channels serves several short rows.
    private const int TilePixels = 28;

    public static long Tiles(in DepthwiseInt8Arguments a) => a.Images * RowBlocks(in a) * Parts(in a);

    public static long Scratch(in DepthwiseInt8Arguments a)
    {
        var isRow = a.KernelRows == 1;
        long kernelRows = isRow ? a.KernelColumns : a.KernelRows, kernelColumns = isRow ? 1 : a.KernelColumns;
        long pixels = Math.Min(isRow ? a.OutputRows : a.OutputColumns, MostPixels), stride = isRow ? a.StrideRows : a.StrideColumns;
        var columns = (Int128)(pixels - 1) * stride + (Int128)(kernelColumns - 1) * (long)(isRow ? a.DilationRows : a.DilationColumns) + 1;
        return ImageChecks.Limited(sizeof(ByteOutput) + DepthwiseInt8Packing.Block * (sizeof(int) + sizeof(float))
            + Int128.Max(columns, 0) * DepthwiseInt8Packing.Groups(kernelRows) * GroupBytes);
    }

    // A kernel of one row is taken as one of one column, on images whose rows and columns are swapped.
    private static long Rows(in DepthwiseInt8Arguments a) => a.KernelRows == 1 ? a.OutputColumns : a.OutputRows;

    private static long RowBlocks(in DepthwiseInt8Arguments a)
    {
        long rows = Rows(in a), height = Math.Max(TilePixels / Math.Max(a.KernelRows == 1 ? a.OutputRows : a.OutputColumns, 1), 1);
        return (rows + height - 1) / height;
    }

    private static long Parts(in DepthwiseInt8Arguments a) => ((a.KernelRows == 1 ? a.OutputRows : a.OutputColumns) + MostPixels - 1) / MostPixels;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TNarrow, TWide>(DepthwiseInt8Arguments* a, long first, long last, byte* scratch)
        where TNarrow : struct, IDepthwiseInt8Path where TWide : struct, IDepthwiseInt8Path
    {
        if (a->Narrow == 1) Run<TNarrow>(a, first, last, scratch);
        else Run<TWide>(a, first, last, scratch);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TPath>(DepthwiseInt8Arguments* a, long first, long last, byte* scratch) where TPath : struct, IDepthwiseInt8Path
    {
        var isRow = a->KernelRows == 1;
        long rows = Rows(in *a), columns = isRow ? a->OutputRows : a->OutputColumns, parts = Parts(in *a), blocks = RowBlocks(in *a), channels = a->Channels;
        long strideRows = isRow ? a->StrideColumns : a->StrideRows, strideColumns = isRow ? a->StrideRows : a->StrideColumns;
        long dilationRows = isRow ? a->DilationColumns : a->DilationRows, dilationColumns = isRow ? a->DilationRows : a->DilationColumns;
        long xPixel = isRow ? a->XRow : a->XPixel, xRow = isRow ? a->XPixel : a->XRow, yPixel = isRow ? a->YRow : a->YPixel, yRow = isRow ? a->YPixel : a->YRow;
        long kernelRows = isRow ? a->KernelColumns : a->KernelRows, kernelColumns = isRow ? 1 : a->KernelColumns;
        var groups = DepthwiseInt8Packing.Groups(kernelRows);
        var signed = a->XType == ModelElementType.Int8;
        var output = (ByteOutput*)scratch;
        *output = new(a->YZero, a->YMinimum, a->YMaximum);
        var start = (int*)(output + 1);
        var multiplier = (float*)(start + DepthwiseInt8Packing.Block);
        var zero = (int)a->XZero + (signed ? 128 : 0);
        DepthwiseInt8Tile tile = new()
        {
            Interleaved = (byte*)(multiplier + DepthwiseInt8Packing.Block), XPixel = xPixel, XRow = dilationRows * xRow, KernelRows = kernelRows,
            KernelColumns = kernelColumns, Groups = groups, Turn = signed ? (byte)0x80 : (byte)0, PixelStep = strideColumns * groups * GroupBytes,
            KernelStep = dilationColumns * groups * GroupBytes, Start = start, Multiplier = multiplier, YPixel = yPixel,
            Output = output,
        };
        var sums = (int*)(byte*)a->W;
        var weights = (sbyte*)(sums + DepthwiseInt8Packing.PaddedChannels(channels));
        for (var index = first; index < last; index++)
        {
            long part = index % parts, block = index / parts % blocks, image = index / parts / blocks;
            long firstRow = rows * block / blocks, lastRow = rows * (block + 1) / blocks;
            long from = columns * part / parts, to = columns * (part + 1) / parts;
            tile.Pixels = to - from;
            tile.Columns = (tile.Pixels - 1) * strideColumns + (kernelColumns - 1) * dilationColumns + 1;
            var x = (byte*)a->X + image * a->XImage + firstRow * strideRows * xRow + from * strideColumns * xPixel;
            var y = (byte*)a->Y + image * a->YImage + firstRow * yRow + from * yPixel;
            for (long channel = 0; channel < channels; channel += DepthwiseInt8Packing.Block)
            {
                tile.Filled = (int)Math.Min(channels - channel, DepthwiseInt8Packing.Block);
                tile.X = x + channel;
                tile.Y = y + channel;
                tile.W = weights + channel * kernelColumns * groups * 4;
                Prepare(a, sums, channel, tile.Filled, zero, start, multiplier);
                for (var row = firstRow; row < lastRow; row++, tile.X += strideRows * xRow, tile.Y += yRow)
                {
                    TPath.Interleave(&tile);
                    TPath.Run(&tile);
                }
            }
        }
    }

    // (x - zero) w = x w - zero * (sum of w).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prepare(DepthwiseInt8Arguments* a, int* sums, long channel, int filled, int zero, int* start, float* multiplier)
    {
        int* bias = a->Bias.IsPresent ? (int*)a->Bias + channel : null;
        var scale = (float*)a->Multiplier + channel;
        sums += channel;
        if (filled == DepthwiseInt8Packing.Block)
        {
            for (var i = 0; i < DepthwiseInt8Packing.Block / 8; i++)
            {
                Vector256<int> b = bias == null ? default : Vector256.Load(bias + 8 * i);
                (b - Vector256.Load(sums + 8 * i) * zero).Store(start + 8 * i);
                Vector256.Load(scale + 8 * i).Store(multiplier + 8 * i);
            }
            return;
        }
        for (var i = 0; i < DepthwiseInt8Packing.Block; i++)
        {
            start[i] = i < filled ? (bias == null ? 0 : bias[i]) - sums[i] * zero : 0;
            multiplier[i] = i < filled ? scale[i] : 0;
        }
    }
}
