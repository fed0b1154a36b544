using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// 256-bit path of the integer depthwise convolution. Interleaving bytes and pairs of 4 rows puts what a dot product takes side by side; each column is
/// interleaved once and serves all columns of the kernel. 16 channels at a time, two vectors of sums. Loads are what limits it, so weights stay in registers
/// (three columns), or serve four pixels.
/// </summary>
internal readonly unsafe struct DepthwiseInt8Avx2<TDot> : IDepthwiseInt8Path where TDot : struct, IByteDot
{
    public static void Interleave(DepthwiseInt8Tile* t)
    {
        if (Avx512Vbmi.IsSupported) InterleaveByPermutation(t);
        else InterleaveByUnpacking(t);
    }

    // Two rows in each of two registers; two permutations give all bytes of 32 channels.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InterleaveByPermutation(DepthwiseInt8Tile* t)
    {
        Vector512<byte> turn = Vector512.Create(t->Turn);
        // Byte i of the result: row i % 4 of channel i / 4, which is at channel + 32 * row.
        Vector512<byte> low = Vector512.Create(
            0, 32, 64, 96, 1, 33, 65, 97, 2, 34, 66, 98, 3, 35, 67, 99, 4, 36, 68, 100, 5, 37, 69, 101, 6, 38, 70, 102, 7, 39, 71, 103,
            8, 40, 72, 104, 9, 41, 73, 105, 10, 42, 74, 106, 11, 43, 75, 107, 12, 44, 76, 108, 13, 45, 77, 109, 14, 46, 78, 110, 15, 47, 79, (byte)111);
        Vector512<byte> high = low + Vector512.Create((byte)16);
        for (long group = 0; group < t->Groups; group++)
        {
            // Rows beyond the kernel have zero weights: any row will do.
            long row = 4 * group, last = t->KernelRows - 1;
            byte* x0 = t->X + row * t->XRow, x1 = t->X + Math.Min(row + 1, last) * t->XRow;
            byte* x2 = t->X + Math.Min(row + 2, last) * t->XRow, x3 = t->X + Math.Min(row + 3, last) * t->XRow;
            var to = t->Interleaved + group * DepthwiseInt8.GroupBytes;
            nint x = 0, step = (nint)t->XPixel, line = (nint)t->Groups * DepthwiseInt8.GroupBytes;
            for (var end = to + t->Columns * line; to < end; x += step, to += line)
            {
                Vector512<byte> ab = Vector256.Load(x0 + x).ToVector512Unsafe().WithUpper(Vector256.Load(x1 + x)) ^ turn;
                Vector512<byte> cd = Vector256.Load(x2 + x).ToVector512Unsafe().WithUpper(Vector256.Load(x3 + x)) ^ turn;
                Avx512Vbmi.PermuteVar64x8x2(ab, low, cd).Store(to);
                Avx512Vbmi.PermuteVar64x8x2(ab, high, cd).Store(to + 64);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InterleaveByUnpacking(DepthwiseInt8Tile* t)
    {
        Vector256<byte> turn = Vector256.Create(t->Turn);
        for (long group = 0; group < t->Groups; group++)
        {
            long row = 4 * group, last = t->KernelRows - 1;
            byte* x0 = t->X + row * t->XRow, x1 = t->X + Math.Min(row + 1, last) * t->XRow;
            byte* x2 = t->X + Math.Min(row + 2, last) * t->XRow, x3 = t->X + Math.Min(row + 3, last) * t->XRow;
            var to = t->Interleaved + group * DepthwiseInt8.GroupBytes;
            nint x = 0, step = (nint)t->XPixel;
            for (long column = 0; column < t->Columns; column++, x += step, to += t->Groups * DepthwiseInt8.GroupBytes)
            {
                Vector256<byte> a = Vector256.Load(x0 + x) ^ turn, b = Vector256.Load(x1 + x) ^ turn, c = Vector256.Load(x2 + x) ^ turn;
                Vector256<byte> d = Vector256.Load(x3 + x) ^ turn;
                Vector256<short> abLow = Avx2.UnpackLow(a, b).AsInt16(), abHigh = Avx2.UnpackHigh(a, b).AsInt16();
                Vector256<short> cdLow = Avx2.UnpackLow(c, d).AsInt16(), cdHigh = Avx2.UnpackHigh(c, d).AsInt16();
                StoreHalves(Avx2.UnpackLow(abLow, cdLow), to);
                StoreHalves(Avx2.UnpackHigh(abLow, cdLow), to + 16);
                StoreHalves(Avx2.UnpackLow(abHigh, cdHigh), to + 32);
                StoreHalves(Avx2.UnpackHigh(abHigh, cdHigh), to + 48);
            }
        }
    }

    // Lanes are 16 channels apart.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalves(Vector256<short> v, byte* to)
    {
        v.GetLower().AsByte().Store(to);
        v.GetUpper().AsByte().Store(to + 64);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DepthwiseInt8Tile* t)
    {
        for (var channel = 0; channel < t->Filled; channel += 16)
        {
            if (t->KernelColumns == 3 && t->Groups == 1 && t->PixelStep == t->KernelStep) RunThree(t, channel);
            else RunAny(t, channel);
        }
    }

    // Three columns, each pixel one on from the last: a column is read once, for the last product of one pixel, the second of the next, the first of the one
    // after that.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunThree(DepthwiseInt8Tile* t, int channel)
    {
        byte* x = t->Interleaved + 4 * channel, y = t->Y + channel;
        nint step = (nint)t->PixelStep, yStep = (nint)t->YPixel;
        long filled = t->Filled - channel;
        var w = t->W + 4 * channel;
        var multiplier = t->Multiplier + channel;
        var output = t->Output;
        ByteScale scale = ByteScale.Load(multiplier, output);
        Vector256<int> s0 = Vector256.Load(t->Start + channel), s1 = Vector256.Load(t->Start + channel + 8);
        Vector256<sbyte> u0 = Vector256.Load(w), u1 = Vector256.Load(w + 32), v0 = Vector256.Load(w + 128), v1 = Vector256.Load(w + 160);
        Vector256<sbyte> w0 = Vector256.Load(w + 256), w1 = Vector256.Load(w + 288);
        Vector256<byte> x0 = Vector256.Load(x), x1 = Vector256.Load(x + 32);
        Vector256<int> a0 = TDot.Add(s0, x0, u0), a1 = TDot.Add(s1, x1, u1);
        x += step;
        x0 = Vector256.Load(x);
        x1 = Vector256.Load(x + 32);
        a0 = TDot.Add(a0, x0, v0);
        a1 = TDot.Add(a1, x1, v1);
        Vector256<int> b0 = TDot.Add(s0, x0, u0), b1 = TDot.Add(s1, x1, u1);
        for (var end = y + t->Pixels * yStep; y != end; y += yStep)
        {
            x += step;
            x0 = Vector256.Load(x);
            x1 = Vector256.Load(x + 32);
            Vector256<int> c0 = TDot.Add(a0, x0, w0), c1 = TDot.Add(a1, x1, w1);
            a0 = TDot.Add(b0, x0, v0);
            a1 = TDot.Add(b1, x1, v1);
            b0 = TDot.Add(s0, x0, u0);
            b1 = TDot.Add(s1, x1, u1);
            QuantizedOutput.Store(c0, c1, multiplier, y, filled, output, scale);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunAny(DepthwiseInt8Tile* t, int channel)
    {
        byte* x = t->Interleaved + 4 * channel, y = t->Y + channel;
        nint step = (nint)t->PixelStep, yStep = (nint)t->YPixel, kernelStep = (nint)t->KernelStep, lines = (nint)t->Groups * DepthwiseInt8.GroupBytes;
        long filled = t->Filled - channel;
        sbyte* first = t->W + 4 * channel, last = first + t->KernelColumns * lines;
        var multiplier = t->Multiplier + channel;
        var output = t->Output;
        ByteScale scale = ByteScale.Load(multiplier, output);
        Vector256<int> s0 = Vector256.Load(t->Start + channel), s1 = Vector256.Load(t->Start + channel + 8);
        var left = t->Pixels;
        for (; left >= 4; left -= 4, x += 4 * step, y += 4 * yStep)
        {
            Vector256<int> a0 = s0, a1 = s1, b0 = s0, b1 = s1, c0 = s0, c1 = s1, d0 = s0, d1 = s1;
            var column = x;
            for (var w = first; w < last; column += kernelStep)
            {
                var u = column;
                for (var end = w + lines; w < end; w += DepthwiseInt8.GroupBytes, u += DepthwiseInt8.GroupBytes)
                {
                    Vector256<sbyte> w0 = Vector256.Load(w), w1 = Vector256.Load(w + 32);
                    a0 = TDot.Add(a0, Vector256.Load(u), w0);
                    a1 = TDot.Add(a1, Vector256.Load(u + 32), w1);
                    b0 = TDot.Add(b0, Vector256.Load(u + step), w0);
                    b1 = TDot.Add(b1, Vector256.Load(u + step + 32), w1);
                    c0 = TDot.Add(c0, Vector256.Load(u + 2 * step), w0);
                    c1 = TDot.Add(c1, Vector256.Load(u + 2 * step + 32), w1);
                    d0 = TDot.Add(d0, Vector256.Load(u + 3 * step), w0);
                    d1 = TDot.Add(d1, Vector256.Load(u + 3 * step + 32), w1);
                }
            }
            QuantizedOutput.Store(a0, a1, multiplier, y, filled, output, scale);
            QuantizedOutput.Store(b0, b1, multiplier, y + yStep, filled, output, scale);
            QuantizedOutput.Store(c0, c1, multiplier, y + 2 * yStep, filled, output, scale);
            QuantizedOutput.Store(d0, d1, multiplier, y + 3 * yStep, filled, output, scale);
        }
        for (; left > 0; left--, x += step, y += yStep)
        {
            Vector256<int> a0 = s0, a1 = s1;
            var column = x;
            for (var w = first; w < last; column += kernelStep)
            {
                var u = column;
                for (var end = w + lines; w < end; w += DepthwiseInt8.GroupBytes, u += DepthwiseInt8.GroupBytes)
                {
                    a0 = TDot.Add(a0, Vector256.Load(u), Vector256.Load(w));
                    a1 = TDot.Add(a1, Vector256.Load(u + 32), Vector256.Load(w + 32));
                }
            }
            QuantizedOutput.Store(a0, a1, multiplier, y, filled, output, scale);
        }
    }
}
