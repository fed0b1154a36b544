using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>Portable path of the integer depthwise convolution: the same interleaved bytes, 4 channels at a time, as the portable integer convolution
/// multiplies them.</summary>
internal readonly unsafe struct DepthwiseInt8Vector128 : IDepthwiseInt8Path
{
    // Bytes of 4 rows are shifted and joined as 32-bit words, which is the interleaved order on any little-endian CPU.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(DepthwiseInt8Tile* t)
    {
        Vector128<byte> turn = Vector128.Create(t->Turn);
        for (long group = 0; group < t->Groups; group++)
        {
            long row = 4 * group, last = t->KernelRows - 1;
            byte* x0 = t->X + row * t->XRow, x1 = t->X + Math.Min(row + 1, last) * t->XRow;
            byte* x2 = t->X + Math.Min(row + 2, last) * t->XRow, x3 = t->X + Math.Min(row + 3, last) * t->XRow;
            var to = t->Interleaved + group * DepthwiseInt8.GroupBytes;
            for (long column = 0, x = 0; column < t->Columns; column++, x += t->XPixel, to += t->Groups * DepthwiseInt8.GroupBytes)
            {
                for (var half = 0; half < 2; half++)
                {
                    var from = x + 16 * half;
                    Vector128<byte> a = Vector128.Load(x0 + from) ^ turn, b = Vector128.Load(x1 + from) ^ turn, c = Vector128.Load(x2 + from) ^ turn;
                    Vector128<byte> d = Vector128.Load(x3 + from) ^ turn;
                    (Vector128<ushort> aLow, Vector128<ushort> aHigh) = Vector128.Widen(a);
                    (Vector128<ushort> bLow, Vector128<ushort> bHigh) = Vector128.Widen(b);
                    (Vector128<ushort> cLow, Vector128<ushort> cHigh) = Vector128.Widen(c);
                    (Vector128<ushort> dLow, Vector128<ushort> dHigh) = Vector128.Widen(d);
                    Join(aLow | (bLow << 8), cLow | (dLow << 8), to + 64 * half);
                    Join(aHigh | (bHigh << 8), cHigh | (dHigh << 8), to + 64 * half + 32);
                }
            }
        }
    }

    // Eight channels.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join(Vector128<ushort> ab, Vector128<ushort> cd, byte* to)
    {
        (Vector128<uint> abLow, Vector128<uint> abHigh) = Vector128.Widen(ab);
        (Vector128<uint> cdLow, Vector128<uint> cdHigh) = Vector128.Widen(cd);
        (abLow | (cdLow << 16)).AsByte().Store(to);
        (abHigh | (cdHigh << 16)).AsByte().Store(to + 16);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DepthwiseInt8Tile* t)
    {
        var bytes = stackalloc byte[DepthwiseInt8Packing.Block];
        for (long pixel = 0; pixel < t->Pixels; pixel++)
        {
            for (var part = 0; part < DepthwiseInt8Packing.Block; part += 4)
            {
                Vector128<int> sum = Vector128.Load(t->Start + part);
                var w = t->W + 4 * part;
                for (long k = 0; k < t->KernelColumns; k++)
                {
                    var x = t->Interleaved + pixel * t->PixelStep + k * t->KernelStep + 4 * part;
                    for (long group = 0; group < t->Groups; group++, x += DepthwiseInt8.GroupBytes, w += DepthwiseInt8.GroupBytes)
                        sum = PortableDot.Add(sum, Vector128.Load(x), Vector128.Load(w));
                }
                Vector128<float> v = Vector128.ConvertToSingle(sum) * Vector128.Load(t->Multiplier + part);
                for (var i = 0; i < 4; i++)
                {
                    var rounded = Rounding.ToInt32(v.GetElement(i), t->Output->Low[0], t->Output->High[0]);
                    bytes[part + i] = (byte)(rounded + t->Output->Zero[0]);
                }
            }
            new ReadOnlySpan<byte>(bytes, t->Filled).CopyTo(new Span<byte>(t->Y + pixel * t->YPixel, t->Filled));
        }
    }
}
