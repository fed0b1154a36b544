using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>The transforms of F(2 x 2, 3 x 3).</summary>
internal static unsafe class WinogradInt8Transform
{
    /// <summary>Transforms a window of 4 x 4, 16 channels at a time: rows d0 - d2, d1 + d2, d2 - d1, d1 - d3, then columns likewise.</summary>
    /// <param name="a">The call.</param>
    /// <param name="x">The image.</param>
    /// <param name="row">The window's first row.</param>
    /// <param name="column">The window's first column.</param>
    /// <param name="v">Where the first place's channels go; others follow every <see cref="WinogradInt8.MostTiles"/> tiles.</param>
    /// <param name="padded">Channels of a tile.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(ConvolutionInt8WinogradArguments* a, byte* x, long row, long column, short* v, long padded)
    {
        long lastRow = a->OutputRows + 1, lastColumn = a->OutputColumns + 1, place = WinogradInt8.MostTiles * padded;
        byte* r0 = x + row * a->XRow, r1 = r0 + a->XRow, r2 = r1 + a->XRow, r3 = x + Math.Min(row + 3, lastRow) * a->XRow;
        long c0 = column * a->XPixel, c1 = c0 + a->XPixel, c2 = c1 + a->XPixel, c3 = Math.Min(column + 3, lastColumn) * a->XPixel;
        var signed = a->XType == ModelElementType.Int8;
        if (Vector512.IsHardwareAccelerated && Avx512BW.IsSupported)
        {
            for (long c = 0; c < a->InputChannels; c += 32, v += 32)
            {
                Column512(r0, r1, r2, r3, c0 + c, signed, out Vector512<short> s0, out Vector512<short> t0, out Vector512<short> u0, out Vector512<short> w0);
                Column512(r0, r1, r2, r3, c1 + c, signed, out Vector512<short> s1, out Vector512<short> t1, out Vector512<short> u1, out Vector512<short> w1);
                Column512(r0, r1, r2, r3, c2 + c, signed, out Vector512<short> s2, out Vector512<short> t2, out Vector512<short> u2, out Vector512<short> w2);
                Column512(r0, r1, r2, r3, c3 + c, signed, out Vector512<short> s3, out Vector512<short> t3, out Vector512<short> u3, out Vector512<short> w3);
                Row512(s0, s1, s2, s3, v, place);
                Row512(t0, t1, t2, t3, v + 4 * place, place);
                Row512(u0, u1, u2, u3, v + 8 * place, place);
                Row512(w0, w1, w2, w3, v + 12 * place, place);
            }
            return;
        }
        for (long c = 0; c < a->InputChannels; c += 16, v += 16)
        {
            (Vector256<short> s0, Vector256<short> t0, Vector256<short> u0, Vector256<short> w0) = Column(r0, r1, r2, r3, c0 + c, signed);
            (Vector256<short> s1, Vector256<short> t1, Vector256<short> u1, Vector256<short> w1) = Column(r0, r1, r2, r3, c1 + c, signed);
            (Vector256<short> s2, Vector256<short> t2, Vector256<short> u2, Vector256<short> w2) = Column(r0, r1, r2, r3, c2 + c, signed);
            (Vector256<short> s3, Vector256<short> t3, Vector256<short> u3, Vector256<short> w3) = Column(r0, r1, r2, r3, c3 + c, signed);
            Row(s0, s1, s2, s3, v, place);
            Row(t0, t1, t2, t3, v + 4 * place, place);
            Row(u0, u1, u2, u3, v + 8 * place, place);
            Row(w0, w1, w2, w3, v + 12 * place, place);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<short> S, Vector256<short> T, Vector256<short> U, Vector256<short> W) Column(byte* r0, byte* r1, byte* r2, byte* r3, long at,
        bool signed)
    {
        Vector256<short> a = Widen(r0 + at, signed), b = Widen(r1 + at, signed), c = Widen(r2 + at, signed), d = Widen(r3 + at, signed);
        return (a - c, b + c, c - b, b - d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row(Vector256<short> a, Vector256<short> b, Vector256<short> c, Vector256<short> d, short* v, long place)
    {
        (a - c).Store(v);
        (b + c).Store(v + place);
        (c - b).Store(v + 2 * place);
        (b - d).Store(v + 3 * place);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Widen(byte* x, bool signed)
    {
        Vector128<byte> bytes = Vector128.Load(x);
        if (Avx2.IsSupported) return signed ? Avx2.ConvertToVector256Int16(bytes.AsSByte()) : Avx2.ConvertToVector256Int16(bytes);
        return signed ? Vector256.Create(Vector128.WidenLower(bytes.AsSByte()), Vector128.WidenUpper(bytes.AsSByte()))
            : Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes)).AsInt16();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Column512(byte* r0, byte* r1, byte* r2, byte* r3, long at, bool signed, out Vector512<short> s, out Vector512<short> t,
        out Vector512<short> u, out Vector512<short> w)
    {
        Vector512<short> a = Widen512(r0 + at, signed), b = Widen512(r1 + at, signed), c = Widen512(r2 + at, signed), d = Widen512(r3 + at, signed);
        s = a - c;
        t = b + c;
        u = c - b;
        w = b - d;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row512(Vector512<short> a, Vector512<short> b, Vector512<short> c, Vector512<short> d, short* v, long place)
    {
        (a - c).Store(v);
        (b + c).Store(v + place);
        (c - b).Store(v + 2 * place);
        (b - d).Store(v + 3 * place);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Widen512(byte* x, bool signed) =>
        signed ? Avx512BW.ConvertToVector512Int16(Vector256.Load((sbyte*)x)) : Avx512BW.ConvertToVector512Int16(Vector256.Load(x));

    /// <summary>Transforms the 16 places of 16 columns back to 2 x 2 results, m0 + m1 + m2 and m1 - m2 - m3, a quarter of which is what they are, and writes
    /// them.</summary>
    /// <param name="sums">The first place; others follow every <see cref="WinogradInt8.MostTiles"/> tiles.</param>
    /// <param name="start">What is added.</param>
    /// <param name="multiplier">What multiplies.</param>
    /// <param name="y">The first result.</param>
    /// <param name="count">Columns that are channels.</param>
    /// <param name="row">Bytes to the second row; 0 if there is none.</param>
    /// <param name="column">Bytes to the second column; 0 if there is none.</param>
    /// <param name="output">Limits.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output<TOutput>(int* sums, int* start, float* multiplier, byte* y, long count, long row, long column, ByteOutput* output)
        where TOutput : struct, IByteOutput
    {
        ByteScale scale = ByteScale.Load(multiplier, output);
        if (Vector512.IsHardwareAccelerated)
        {
            const int Place = WinogradInt8.MostTiles * WinogradInt8.Columns;
            Line512(sums, out Vector512<int> p0, out Vector512<int> q0);
            Line512(sums + 4 * Place, out Vector512<int> p1, out Vector512<int> q1);
            Line512(sums + 8 * Place, out Vector512<int> p2, out Vector512<int> q2);
            Line512(sums + 12 * Place, out Vector512<int> p3, out Vector512<int> q3);
            Vector512<int> s = Vector512.Load(start);
            TOutput.Store(((p0 + p1 + p2) >> 2) + s, multiplier, y, count, output, scale);
            if (column != 0) TOutput.Store(((q0 + q1 + q2) >> 2) + s, multiplier, y + column, count, output, scale);
            if (row == 0) return;
            TOutput.Store(((p1 - p2 - p3) >> 2) + s, multiplier, y + row, count, output, scale);
            if (column != 0) TOutput.Store(((q1 - q2 - q3) >> 2) + s, multiplier, y + row + column, count, output, scale);
            return;
        }
        (Vector256<int> a0, Vector256<int> b0, Vector256<int> c0, Vector256<int> d0) = Half(sums, start);
        (Vector256<int> a1, Vector256<int> b1, Vector256<int> c1, Vector256<int> d1) = Half(sums + 8, start + 8);
        TOutput.Store(a0, a1, multiplier, y, count, output, scale);
        if (column != 0) TOutput.Store(b0, b1, multiplier, y + column, count, output, scale);
        if (row == 0) return;
        TOutput.Store(c0, c1, multiplier, y + row, count, output, scale);
        if (column != 0) TOutput.Store(d0, d1, multiplier, y + row + column, count, output, scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> A, Vector256<int> B, Vector256<int> C, Vector256<int> D) Half(int* sums, int* start)
    {
        const int Place = WinogradInt8.MostTiles * WinogradInt8.Columns;
        (Vector256<int> p0, Vector256<int> q0) = Line(sums);
        (Vector256<int> p1, Vector256<int> q1) = Line(sums + 4 * Place);
        (Vector256<int> p2, Vector256<int> q2) = Line(sums + 8 * Place);
        (Vector256<int> p3, Vector256<int> q3) = Line(sums + 12 * Place);
        Vector256<int> s = Vector256.Load(start);
        return (((p0 + p1 + p2) >> 2) + s, ((q0 + q1 + q2) >> 2) + s, ((p1 - p2 - p3) >> 2) + s, ((q1 - q2 - q3) >> 2) + s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> P, Vector256<int> Q) Line(int* sums)
    {
        const int Place = WinogradInt8.MostTiles * WinogradInt8.Columns;
        Vector256<int> a = Vector256.Load(sums), b = Vector256.Load(sums + Place), c = Vector256.Load(sums + 2 * Place), d = Vector256.Load(sums + 3 * Place);
        return (a + b + c, b - c - d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Line512(int* sums, out Vector512<int> p, out Vector512<int> q)
    {
        const int Place = WinogradInt8.MostTiles * WinogradInt8.Columns;
        Vector512<int> b = Vector512.Load(sums + Place), c = Vector512.Load(sums + 2 * Place);
        p = Vector512.Load(sums) + b + c;
        q = b - c - Vector512.Load(sums + 3 * Place);
    }
}
