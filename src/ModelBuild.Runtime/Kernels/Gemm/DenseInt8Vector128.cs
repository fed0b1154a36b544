using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// Portable tiles of the integer dense layer: 128-bit vectors, 4 columns of 4 rows each, one row of x and 16 columns at a time. Even and odd bytes are widened
/// to 16 bits; a product of uint8 and int8 fits there, and its two halves of a 32-bit lane are then added as 32 bits: exact.
/// </summary>
internal static unsafe class DenseInt8Vector128
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DenseInt8Tile* t)
    {
        for (var column = 0; column < t->Width; column += 16) OneRow(t, column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(DenseInt8Tile* t, int column)
    {
        uint* x = (uint*)t->X, end = x + (t->K + 3) / 4;
        var w = (sbyte*)t->W + column * 4;
        var line = t->Width * 4;
        var turn = t->Signed ? 0x80808080 : 0;
        var start = t->Start + column;
        Vector128<int> a = Vector128.Load(start), b = Vector128.Load(start + 4), c = Vector128.Load(start + 8), d = Vector128.Load(start + 12);
        for (; x < end; x++, w += line)
        {
            Vector128<short> v = Vector128.Create(*x ^ turn).AsInt16();
            Vector128<short> even = v & Vector128.Create((short)0xFF), odd = (v.AsUInt16() >>> 8).AsInt16();
            a += Dot(even, odd, Vector128.Load(w).AsInt16());
            b += Dot(even, odd, Vector128.Load(w + 16).AsInt16());
            c += Dot(even, odd, Vector128.Load(w + 32).AsInt16());
            d += Dot(even, odd, Vector128.Load(w + 48).AsInt16());
        }
        a.Store(t->Sums + column);
        b.Store(t->Sums + column + 4);
        c.Store(t->Sums + column + 8);
        d.Store(t->Sums + column + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Dot(Vector128<short> even, Vector128<short> odd, Vector128<short> w)
    {
        Vector128<int> p = (even * ((w << 8) >> 8)).AsInt32(), q = (odd * (w >> 8)).AsInt32();
        return ((p << 16) >> 16) + (p >> 16) + ((q << 16) >> 16) + (q >> 16);
    }
}
