using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// Portable tiles of the integer convolution: 128-bit vectors, 4 channels of 4 rows each, one pixel and 16 channels at a time. Even and odd bytes are widened
/// to 16 bits; a product of uint8 and int8 fits there, and its two halves of a 32-bit lane are then added as 32 bits: exact.
/// </summary>
internal static unsafe class ConvolutionInt8Vector128<TOutput> where TOutput : struct, IByteOutput
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ConvolutionInt8Tile* t, bool signed)
    {
        for (var column = 0; column < t->Filled; column += 16)
            for (long row = 0; row < t->Rows; row++) OneRow(t, row, column, signed ? 0x80808080 : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(ConvolutionInt8Tile* t, long row, int column, uint turn)
    {
        var x = t->X[row];
        var w = (sbyte*)t->W + column * 4;
        var line = t->Width * 4;
        var start = t->Start + column;
        Vector128<int> a = Vector128.Load(start), b = Vector128.Load(start + 4), c = Vector128.Load(start + 8), d = Vector128.Load(start + 12);
        for (long* run = t->Offsets, last = run + t->Runs; run < last; run++)
        {
            nint k = (nint)(*run), end = k + (nint)t->RunLength;
            for (; k < end; k += 4, w += line)
            {
                Vector128<short> v = Vector128.Create(Unsafe.ReadUnaligned<uint>(x + k) ^ turn).AsInt16();
                Vector128<short> even = v & Vector128.Create((short)0xFF), odd = (v.AsUInt16() >>> 8).AsInt16();
                a += Dot(even, odd, Vector128.Load(w).AsInt16());
                b += Dot(even, odd, Vector128.Load(w + 16).AsInt16());
                c += Dot(even, odd, Vector128.Load(w + 32).AsInt16());
                d += Dot(even, odd, Vector128.Load(w + 48).AsInt16());
            }
        }
        var y = t->Y[row] + t->YOffset + column * TOutput.Size;
        TOutput.Store(Vector256.Create(a, b), Vector256.Create(c, d), t->Multiplier + column, y, t->Filled - column,
            t->Output, ByteScale.Load(t->Multiplier + column, t->Output));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Dot(Vector128<short> even, Vector128<short> odd, Vector128<short> w)
    {
        Vector128<int> p = (even * ((w << 8) >> 8)).AsInt32(), q = (odd * (w >> 8)).AsInt32();
        return ((p << 16) >> 16) + (p >> 16) + ((q << 16) >> 16) + (q >> 16);
    }
}
