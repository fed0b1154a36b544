using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// Portable tiles of the integer dense layer: 128-bit vectors, 4 columns of 4 rows each, one row of x and 16 columns at a time.
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
            Vector128<byte> v = Vector128.Create(*x ^ turn).AsByte();
            a = PortableDot.Add(a, v, Vector128.Load(w));
            b = PortableDot.Add(b, v, Vector128.Load(w + 16));
            c = PortableDot.Add(c, v, Vector128.Load(w + 32));
            d = PortableDot.Add(d, v, Vector128.Load(w + 48));
        }
        a.Store(t->Sums + column);
        b.Store(t->Sums + column + 4);
        c.Store(t->Sums + column + 8);
        d.Store(t->Sums + column + 12);
    }
}
