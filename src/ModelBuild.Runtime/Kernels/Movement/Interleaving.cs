using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// Copies between planes and pixels of a few 32-bit channels, as between channels first and channels last: all channels of a pixel at once. Of the tiles of a
/// copy, the one of the first channel does the work of all.
/// </summary>
internal static unsafe class Interleaving
{
    private const long Most = 4;

    /// <summary>Whether the two inner loops are channels and pixels, planes on one side and pixels on the other.</summary>
    public static bool Is(in Loops extents, in Loops planes, in Loops pixels) =>
        extents.L4 is var channels && channels > 1 && channels <= Most && planes.L5 == 1 && pixels.L4 == 1 && pixels.L5 == channels;

    /// <summary>Planes become pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Join(CopyArguments* a, long first, long last, byte* scratch)
    {
        long channels = a->Extents.L4, plane = a->XStrides.L4;
        NestCursor cursor = new(a->Extents, first);
        for (; first < last; first++, cursor.Next())
        {
            if (!cursor.IsFirst) continue;
            float* x = (float*)a->X + cursor.Offset(a->XStrides), y = (float*)a->Y + cursor.Offset(a->YStrides);
            long length = cursor.Length, i = 0;
            if (channels == 3)
            {
                if (Avx512F.IsSupported && Vector512.IsHardwareAccelerated) i = JoinThree(x, x + plane, x + 2 * plane, y, length);
                for (; i < length; i++) (y[3 * i], y[3 * i + 1], y[3 * i + 2]) = (x[i], x[plane + i], x[2 * plane + i]);
                continue;
            }
            for (; i < length; i++)
                for (long c = 0; c < channels; c++) y[i * channels + c] = x[c * plane + i];
        }
    }

    /// <summary>Pixels become planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Part(CopyArguments* a, long first, long last, byte* scratch)
    {
        long channels = a->Extents.L4, plane = a->YStrides.L4;
        NestCursor cursor = new(a->Extents, first);
        for (; first < last; first++, cursor.Next())
        {
            if (!cursor.IsFirst) continue;
            float* x = (float*)a->X + cursor.Offset(a->XStrides), y = (float*)a->Y + cursor.Offset(a->YStrides);
            var length = cursor.Length;
            for (long i = 0; i < length; i++)
                for (long c = 0; c < channels; c++) y[c * plane + i] = x[i * channels + c];
        }
    }

    // 16 pixels at a time: two planes are woven by one permutation of both, and the third is blended in by another.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long JoinThree(float* r, float* g, float* b, float* y, long length)
    {
        Vector512<int> firstTwo = Vector512.Create(0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
        Vector512<int> firstThird = Vector512.Create(0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15);
        Vector512<int> secondTwo = Vector512.Create(21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
        Vector512<int> secondThird = Vector512.Create(0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15);
        Vector512<int> thirdTwo = Vector512.Create(0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
        Vector512<int> thirdThird = Vector512.Create(26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31);
        long i = 0;
        for (; i <= length - 16; i += 16, y += 48)
        {
            Vector512<float> p = Vector512.Load(r + i), q = Vector512.Load(g + i), s = Vector512.Load(b + i);
            Avx512F.PermuteVar16x32x2(Avx512F.PermuteVar16x32x2(p, firstTwo, q), firstThird, s).Store(y);
            Avx512F.PermuteVar16x32x2(Avx512F.PermuteVar16x32x2(p, secondTwo, q), secondThird, s).Store(y + 16);
            Avx512F.PermuteVar16x32x2(Avx512F.PermuteVar16x32x2(p, thirdTwo, q), thirdThird, s).Store(y + 32);
        }
        return i;
    }
}
