using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// The integer convolution with kernels of 3 x 3, stride 1, by the minimal filtering F(2 x 2, 3 x 3) of Winograd (Lavin and Gray, arXiv:1509.09308), with 16
/// products for 4 results instead of 36. Its factors are integers once weights are taken four times, so results are those of
/// <see cref="ConvolutionInt8Arguments"/>, bit for bit: transformed x and weights fit 16 bits, sums 32. It pays where products of 16 bits are no less than half
/// as fast as those of 8 bits: AVX-512, and AVX2 without AVX-VNNI.
/// </summary>
internal unsafe struct ConvolutionInt8WinogradArguments : IKernelArguments<ConvolutionInt8WinogradArguments>
{
    /// <summary>Input channels at most: four times a result fits 32 bits.</summary>
    public const int MostInputChannels = 1800;

    /// <summary>UInt8 or Int8; of y also Float.</summary>
    public ModelElementType XType, YType;
    /// <summary>The first element of the first window, border included.</summary>
    public Operand X;
    /// <summary>The weights: <see cref="WinogradInt8Packing"/>.</summary>
    public Operand W;
    /// <summary>OutputChannels int32, or left out.</summary>
    public Operand Bias;
    /// <summary>OutputChannels floats: input scale * weight scale / output scale; for float output input scale * weight scale.</summary>
    public Operand Multiplier;
    public Operand Y;
    public Size Images, InputChannels, OutputRows, OutputColumns, OutputChannels;
    /// <summary>Elements from one pixel, row or image to the next.</summary>
    public Size XPixel, XRow, XImage, YPixel, YRow, YImage;
    public Size XZero, YZero, YMinimum, YMaximum;
    /// <summary>Of float output.</summary>
    public float Minimum, Maximum;

    public static Kernel<ConvolutionInt8WinogradArguments> Kernel { get; } = new(KernelIds.ConvolutionInt8Winograd, "ConvolutionInt8Winograd",
        new("avx512", Avx512BW.IsSupported && Vector512.IsHardwareAccelerated, &WinogradInt8.Run<Pairs512, Vector512<int>>),
        new("avx2", Avx2.IsSupported, &WinogradInt8.Run<Pairs256, Vector256<int>>),
        new("vector128", true, &WinogradInt8.Run<Pairs128, Vector128<int>>));

    public readonly long Tiles => Images * WinogradInt8.Blocks(in this);

    public readonly long Scratch => WinogradInt8.Scratch(InputChannels);

    public readonly double Work => (double)Images * OutputRows * OutputColumns * OutputChannels * 9 * InputChannels;

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref XType, nameof(XType));
        visitor.Type(ref YType, nameof(YType));
        visitor.Input(ref X, nameof(X), XType);
        visitor.Constant(ref W, nameof(W), Packings.WinogradInt8);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Int32);
        visitor.Input(ref Multiplier, nameof(Multiplier), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), YType);
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref InputChannels, nameof(InputChannels));
        visitor.Size(ref OutputRows, nameof(OutputRows));
        visitor.Size(ref OutputColumns, nameof(OutputColumns));
        visitor.Size(ref OutputChannels, nameof(OutputChannels));
        visitor.Size(ref XPixel, nameof(XPixel));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref XImage, nameof(XImage));
        visitor.Size(ref YPixel, nameof(YPixel));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref YImage, nameof(YImage));
        visitor.Size(ref XZero, nameof(XZero));
        visitor.Size(ref YZero, nameof(YZero));
        visitor.Size(ref YMinimum, nameof(YMinimum));
        visitor.Size(ref YMaximum, nameof(YMaximum));
        visitor.Number(ref Minimum, nameof(Minimum));
        visitor.Number(ref Maximum, nameof(Maximum));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, W, Multiplier, Y);
        check.Sizes(Images, InputChannels, OutputRows, OutputColumns, OutputChannels, XPixel, XRow, XImage, YPixel, YRow, YImage);
        check.InRange(InputChannels, 1, MostInputChannels);
        check.InRange(OutputChannels, 1, int.MaxValue);
        check.Bytes(W, WinogradInt8Packing.Length(InputChannels, OutputChannels));
        check.Reaches(Bias, OutputChannels);
        check.Reaches(Multiplier, OutputChannels);
        ImageChecks.Input(check, X, Images, OutputRows, OutputColumns, InputChannels, 3, 3, 1, 1, 1, 1, XPixel, XRow, XImage);
        ImageChecks.Output(check, Y, Images, OutputRows, OutputColumns, OutputChannels, YPixel, YRow, YImage);
        ImageChecks.Quantization(check, XType, YType, XZero, YZero, YMinimum, YMaximum, mayBeFloat: true);
    }
}

/// <summary>Vectors of pairs of 16-bit integers, and of sums of their products.</summary>
internal unsafe interface IWinogradPairs<TVector> where TVector : unmanaged
{
    /// <summary>Pairs in a vector.</summary>
    static abstract int Count { get; }

    static abstract TVector Load(short* source);

    /// <summary>One pair in all places.</summary>
    static abstract TVector Broadcast(short* source);

    /// <summary>sum + a0 b0 + a1 b1 of each pair.</summary>
    static abstract TVector Add(TVector sum, TVector a, TVector b);

    static abstract void Store(TVector sums, int* destination);
}

/// <summary>AVX-512.</summary>
internal readonly unsafe struct Pairs512 : IWinogradPairs<Vector512<int>>
{
    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(short* source) => Vector512.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Broadcast(short* source) => Vector512.Create(*(int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> sum, Vector512<int> a, Vector512<int> b) => sum + Avx512BW.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> sums, int* destination) => sums.Store(destination);
}

/// <summary>AVX2.</summary>
internal readonly unsafe struct Pairs256 : IWinogradPairs<Vector256<int>>
{
    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(short* source) => Vector256.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(short* source) => Vector256.Create(*(int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<int> a, Vector256<int> b) => sum + Avx2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> sums, int* destination) => sums.Store(destination);
}

/// <summary>Any CPU: both halves of a pair as 32-bit integers.</summary>
internal readonly unsafe struct Pairs128 : IWinogradPairs<Vector128<int>>
{
    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(short* source) => Vector128.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Broadcast(short* source) => Vector128.Create(*(int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> sum, Vector128<int> a, Vector128<int> b) =>
        sum + ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<int> sums, int* destination) => sums.Store(destination);
}

/// <summary>Whether a product takes two vectors of columns.</summary>
internal interface IWinogradPair
{
    static abstract bool IsPair { get; }
}

internal readonly struct WinogradTwo : IWinogradPair
{
    public static bool IsPair => true;
}

internal readonly struct WinogradOne : IWinogradPair
{
    public static bool IsPair => false;
}

/// <summary>
/// Blocks of tiles of 2 x 2 results: their windows of 4 x 4 are transformed, multiplied place by place, 16 places, panel by panel, and transformed back. Where
/// rows or columns of results are odd, a window's last row or column is taken again: results that exist do not depend on it.
/// </summary>
internal static unsafe class WinogradInt8
{
    /// <summary>Tiles of a block.</summary>
    public const int MostTiles = 28;

    /// <summary>Sums of a tile and place: a panel's columns.</summary>
    public const int Columns = Panels.Wide;

    /// <summary>Places of a transformed window.</summary>
    public const int Places = 16;

    public static long Blocks(in ConvolutionInt8WinogradArguments a) => ((a.OutputRows + 1) / 2 * ((a.OutputColumns + 1) / 2) + MostTiles - 1) / MostTiles;

    // Blocks start at fours, as products take them.
    private static long First(long tiles, long block, long blocks) => block == blocks ? tiles : (tiles * block / blocks + 3) / 4 * 4;

    public static long Scratch(long inputChannels) =>
        sizeof(ByteOutput) + Panels.Wide * (sizeof(int) + sizeof(float)) + Places * MostTiles * (Columns * sizeof(int) + Padded(inputChannels) * sizeof(short));

    private static long Padded(long inputChannels) => (inputChannels + 31) / 32 * 32;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPairs, TVector>(ConvolutionInt8WinogradArguments* a, long first, long last, byte* scratch)
        where TPairs : struct, IWinogradPairs<TVector> where TVector : unmanaged
    {
        if (a->YType == ModelElementType.Float) Run<TPairs, TVector, FloatOutput>(a, first, last, scratch);
        else Run<TPairs, TVector, QuantizedOutput>(a, first, last, scratch);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TPairs, TVector, TOutput>(ConvolutionInt8WinogradArguments* a, long first, long last, byte* scratch)
        where TPairs : struct, IWinogradPairs<TVector> where TVector : unmanaged where TOutput : struct, IByteOutput
    {
        long n = a->OutputChannels, padded = Padded(a->InputChannels), pairs = (a->InputChannels + 1) / 2;
        long tileColumns = (a->OutputColumns + 1) / 2, tiles = (a->OutputRows + 1) / 2 * tileColumns, blocks = Blocks(in *a);
        var output = (ByteOutput*)scratch;
        *output = TOutput.Size == 1 ? new ByteOutput((long)a->YZero, a->YMinimum, a->YMaximum) : new ByteOutput(a->Minimum, a->Maximum);
        var multiplier = (float*)(output + 1);
        var start = (int*)(multiplier + Panels.Wide);
        var sums = start + Panels.Wide;
        var v = (short*)(sums + Places * MostTiles * Columns);
        var columnSums = (int*)(byte*)a->W;
        var weights = (short*)(columnSums + Panels.PaddedColumns(n));
        for (var index = first; index < last; index++)
        {
            long image = index / blocks, block = index % blocks, from = First(tiles, block, blocks), count = First(tiles, block + 1, blocks) - from;
            var x = (byte*)a->X + image * a->XImage;
            for (long t = 0; t < count; t++)
                WinogradInt8Transform.Input(a, x, (from + t) / tileColumns * 2, (from + t) % tileColumns * 2, v + t * padded, padded);
            for (long channel = 0; channel < n; channel += Panels.Wide)
            {
                var width = Panels.WidthAt(channel, n);
                var w = weights + channel * Places * pairs * 2;
                for (var c = 0; c < width; c += 8)
                {
                    Vector256<int> bias = a->Bias.IsPresent ? Vector256.Load((int*)a->Bias + channel + c) : default;
                    (bias - Vector256.Load(columnSums + channel + c) * (int)a->XZero).Store(start + c);
                    Vector256.Load((float*)a->Multiplier + channel + c).Store(multiplier + c);
                }
                for (long place = 0; place < Places; place++, w += pairs * 2 * width)
                    WinogradInt8Product<TPairs, TVector>.Run(v + place * MostTiles * padded, (nint)padded, w, (nint)(2 * pairs), width,
                        sums + place * MostTiles * Columns, count);
                var filled = Math.Min(width, n - channel);
                for (long t = 0; t < count; t++)
                {
                    long row = (from + t) / tileColumns * 2, column = (from + t) % tileColumns * 2;
                    var y = (byte*)a->Y + (image * a->YImage + row * a->YRow + column * a->YPixel + channel) * TOutput.Size;
                    for (var c = 0; c < filled; c += 16)
                        WinogradInt8Transform.Output<TOutput>(sums + t * Columns + c, start + c, multiplier + c, y + c * TOutput.Size, filled - c,
                            row + 1 < a->OutputRows ? a->YRow * TOutput.Size : 0, column + 1 < a->OutputColumns ? a->YPixel * TOutput.Size : 0, output);
                }
            }
        }
    }
}

/// <summary>Products of transformed windows and weights of one place: 8 x 32 sums (512 bits), or 4 x 16, stay in registers.</summary>
internal static unsafe class WinogradInt8Product<TPairs, TVector> where TPairs : struct, IWinogradPairs<TVector> where TVector : unmanaged
{
    /// <summary>Rows are rounded up to 4: there is room for them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(short* x, nint stride, short* w, nint length, int width, int* y, long rows)
    {
        for (long row = 0; row < rows;)
        {
            var eight = TPairs.Count == 16 && rows - row > 4;
            for (var column = 0; column < width; column += 2 * TPairs.Count)
            {
                var at = w + 2 * column;
                var sums = y + row * WinogradInt8.Columns + column;
                if (width - column < 2 * TPairs.Count)
                {
                    if (eight) Eight<WinogradOne>(x + row * stride, stride, at, length, width, sums);
                    else Four<WinogradOne>(x + row * stride, stride, at, length, width, sums);
                }
                else if (eight) Eight<WinogradTwo>(x + row * stride, stride, at, length, width, sums);
                else Four<WinogradTwo>(x + row * stride, stride, at, length, width, sums);
            }
            row += eight ? 8 : 4;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<TPair>(short* x, nint stride, short* w, nint length, int width, int* y) where TPair : struct, IWinogradPair
    {
        TVector p0 = default, q0 = default;
        TVector p1 = default, q1 = default;
        TVector p2 = default, q2 = default;
        TVector p3 = default, q3 = default;
        short* x0 = x, x1 = x0 + stride, x2 = x1 + stride, x3 = x2 + stride;
        for (nint k = 0; k < length; k += 2, w += 2 * width)
        {
            TVector w0 = TPairs.Load(w), w1 = TPair.IsPair ? TPairs.Load(w + 2 * TPairs.Count) : default, v;
            v = TPairs.Broadcast(x0 + k);
            p0 = TPairs.Add(p0, v, w0);
            if (TPair.IsPair) q0 = TPairs.Add(q0, v, w1);
            v = TPairs.Broadcast(x1 + k);
            p1 = TPairs.Add(p1, v, w0);
            if (TPair.IsPair) q1 = TPairs.Add(q1, v, w1);
            v = TPairs.Broadcast(x2 + k);
            p2 = TPairs.Add(p2, v, w0);
            if (TPair.IsPair) q2 = TPairs.Add(q2, v, w1);
            v = TPairs.Broadcast(x3 + k);
            p3 = TPairs.Add(p3, v, w0);
            if (TPair.IsPair) q3 = TPairs.Add(q3, v, w1);
        }
        TPairs.Store(p0, y);
        if (TPair.IsPair) TPairs.Store(q0, y + TPairs.Count);
        TPairs.Store(p1, y + WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q1, y + WinogradInt8.Columns + TPairs.Count);
        TPairs.Store(p2, y + 2 * WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q2, y + 2 * WinogradInt8.Columns + TPairs.Count);
        TPairs.Store(p3, y + 3 * WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q3, y + 3 * WinogradInt8.Columns + TPairs.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Eight<TPair>(short* x, nint stride, short* w, nint length, int width, int* y) where TPair : struct, IWinogradPair
    {
        TVector p0 = default, q0 = default;
        TVector p1 = default, q1 = default;
        TVector p2 = default, q2 = default;
        TVector p3 = default, q3 = default;
        TVector p4 = default, q4 = default;
        TVector p5 = default, q5 = default;
        TVector p6 = default, q6 = default;
        TVector p7 = default, q7 = default;
        short* x0 = x, x1 = x0 + stride, x2 = x1 + stride, x3 = x2 + stride, x4 = x3 + stride, x5 = x4 + stride, x6 = x5 + stride, x7 = x6 + stride;
        for (nint k = 0; k < length; k += 2, w += 2 * width)
        {
            TVector w0 = TPairs.Load(w), w1 = TPair.IsPair ? TPairs.Load(w + 2 * TPairs.Count) : default, v;
            v = TPairs.Broadcast(x0 + k);
            p0 = TPairs.Add(p0, v, w0);
            if (TPair.IsPair) q0 = TPairs.Add(q0, v, w1);
            v = TPairs.Broadcast(x1 + k);
            p1 = TPairs.Add(p1, v, w0);
            if (TPair.IsPair) q1 = TPairs.Add(q1, v, w1);
            v = TPairs.Broadcast(x2 + k);
            p2 = TPairs.Add(p2, v, w0);
            if (TPair.IsPair) q2 = TPairs.Add(q2, v, w1);
            v = TPairs.Broadcast(x3 + k);
            p3 = TPairs.Add(p3, v, w0);
            if (TPair.IsPair) q3 = TPairs.Add(q3, v, w1);
            v = TPairs.Broadcast(x4 + k);
            p4 = TPairs.Add(p4, v, w0);
            if (TPair.IsPair) q4 = TPairs.Add(q4, v, w1);
            v = TPairs.Broadcast(x5 + k);
            p5 = TPairs.Add(p5, v, w0);
            if (TPair.IsPair) q5 = TPairs.Add(q5, v, w1);
            v = TPairs.Broadcast(x6 + k);
            p6 = TPairs.Add(p6, v, w0);
            if (TPair.IsPair) q6 = TPairs.Add(q6, v, w1);
            v = TPairs.Broadcast(x7 + k);
            p7 = TPairs.Add(p7, v, w0);
            if (TPair.IsPair) q7 = TPairs.Add(q7, v, w1);
        }
        TPairs.Store(p0, y);
        if (TPair.IsPair) TPairs.Store(q0, y + TPairs.Count);
        TPairs.Store(p1, y + WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q1, y + WinogradInt8.Columns + TPairs.Count);
        TPairs.Store(p2, y + 2 * WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q2, y + 2 * WinogradInt8.Columns + TPairs.Count);
        TPairs.Store(p3, y + 3 * WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q3, y + 3 * WinogradInt8.Columns + TPairs.Count);
        TPairs.Store(p4, y + 4 * WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q4, y + 4 * WinogradInt8.Columns + TPairs.Count);
        TPairs.Store(p5, y + 5 * WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q5, y + 5 * WinogradInt8.Columns + TPairs.Count);
        TPairs.Store(p6, y + 6 * WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q6, y + 6 * WinogradInt8.Columns + TPairs.Count);
        TPairs.Store(p7, y + 7 * WinogradInt8.Columns);
        if (TPair.IsPair) TPairs.Store(q7, y + 7 * WinogradInt8.Columns + TPairs.Count);
    }
}
