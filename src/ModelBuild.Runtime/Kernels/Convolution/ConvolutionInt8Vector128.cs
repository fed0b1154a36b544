using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// Portable tiles of the integer convolution: 128-bit vectors, 4 channels of 4 rows each, one pixel and 16 channels at a time.
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
                Vector128<byte> v = Vector128.Create(Unsafe.ReadUnaligned<uint>(x + k) ^ turn).AsByte();
                a = PortableDot.Add(a, v, Vector128.Load(w));
                b = PortableDot.Add(b, v, Vector128.Load(w + 16));
                c = PortableDot.Add(c, v, Vector128.Load(w + 32));
                d = PortableDot.Add(d, v, Vector128.Load(w + 48));
            }
        }
        var y = t->Y[row] + t->YOffset + column * TOutput.Size;
        TOutput.Store(Vector256.Create(a, b), Vector256.Create(c, d), t->Multiplier + column, y, t->Filled - column,
            t->Output, ByteScale.Load(t->Multiplier + column, t->Output));
    }
}
