using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>In every 32-bit lane: sum + x0 w0 + x1 w1 + x2 w2 + x3 w3, for unsigned x and signed w. Every implementation is exact.</summary>
internal interface IByteDot
{
    static abstract Vector256<int> Add(Vector256<int> sum, Vector256<byte> x, Vector256<sbyte> w);
}

/// <summary>As <see cref="IByteDot"/>, for 512 bits.</summary>
internal interface IByteDot512
{
    static abstract Vector512<int> Add(Vector512<int> sum, Vector512<byte> x, Vector512<sbyte> w);
}

/// <summary>AVX-VNNI: one instruction.</summary>
internal readonly struct VnniDot : IByteDot
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> x, Vector256<sbyte> w) => AvxVnni.MultiplyWideningAndAdd(sum, x, w);
}

/// <summary>AVX2 and AVX-512 for any weights: even and odd bytes are widened to 16 bits and multiplied apart, because <c>vpmaddubsw</c> saturates.</summary>
internal readonly struct WideDot : IByteDot, IByteDot512
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> x, Vector256<sbyte> w)
    {
        Vector256<short> xEven = x.AsInt16() & Vector256.Create((short)0xFF), xOdd = (x.AsUInt16() >>> 8).AsInt16();
        Vector256<short> wEven = (w.AsInt16() << 8) >> 8, wOdd = w.AsInt16() >> 8;
        return sum + (Avx2.MultiplyAddAdjacent(xEven, wEven) + Avx2.MultiplyAddAdjacent(xOdd, wOdd));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> sum, Vector512<byte> x, Vector512<sbyte> w)
    {
        Vector512<short> xEven = x.AsInt16() & Vector512.Create((short)0xFF), xOdd = (x.AsUInt16() >>> 8).AsInt16();
        Vector512<short> wEven = (w.AsInt16() << 8) >> 8, wOdd = w.AsInt16() >> 8;
        return sum + (Avx512BW.MultiplyAddAdjacent(xEven, wEven) + Avx512BW.MultiplyAddAdjacent(xOdd, wOdd));
    }
}

/// <summary>AVX2 and AVX-512 for weights from -64 to 64, whose pairs of products fit into 16 bits: 2 * 255 * 64 is 32640.</summary>
internal readonly struct NarrowDot : IByteDot, IByteDot512
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> x, Vector256<sbyte> w) =>
        sum + Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(x, w), Vector256<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> sum, Vector512<byte> x, Vector512<sbyte> w) =>
        sum + Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(x, w), Vector512<short>.One);
}

/// <summary>128 bits, on any CPU: even and odd bytes are widened to 16 bits, where a product of uint8 and int8 fits, and its two halves of a 32-bit lane are
/// then added as 32 bits. arm64 has dot products of signed bytes alone: x is taken as x - 128, and 128 times the weights is added as 64 times them
/// twice.</summary>
internal static class PortableDot
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> sum, Vector128<byte> x, Vector128<sbyte> w)
    {
        if (Dp.IsSupported)
        {
            Vector128<sbyte> half = Vector128.Create((sbyte)64);
            return Dp.DotProduct(Dp.DotProduct(Dp.DotProduct(sum, (x ^ Vector128.Create((byte)0x80)).AsSByte(), w), half, w), half, w);
        }
        Vector128<short> even = x.AsInt16() & Vector128.Create((short)0xFF), odd = (x.AsUInt16() >>> 8).AsInt16();
        Vector128<int> p = (even * ((w.AsInt16() << 8) >> 8)).AsInt32(), q = (odd * (w.AsInt16() >> 8)).AsInt32();
        return sum + (((p << 16) >> 16) + (p >> 16) + ((q << 16) >> 16) + (q >> 16));
    }
}

/// <summary>How four 8-bit values of x become the unsigned bytes of every lane.</summary>
internal unsafe interface IByteSource
{
    static abstract Vector256<byte> Broadcast(byte* x);

    static abstract Vector512<byte> Broadcast512(byte* x);
}

/// <summary>x is uint8.</summary>
internal readonly unsafe struct UnsignedSource : IByteSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Broadcast(byte* x) => Avx2.BroadcastScalarToVector256((int*)x).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Broadcast512(byte* x) => Vector512.Create(*(int*)x).AsByte();
}

/// <summary>x is int8: with its sign bit turned it is uint8, plus 128.</summary>
internal readonly unsafe struct SignedSource : IByteSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Broadcast(byte* x) => Avx2.BroadcastScalarToVector256((int*)x).AsByte() ^ Vector256.Create((byte)0x80);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Broadcast512(byte* x) => Vector512.Create(*(int*)x).AsByte() ^ Vector512.Create((byte)0x80);
}
