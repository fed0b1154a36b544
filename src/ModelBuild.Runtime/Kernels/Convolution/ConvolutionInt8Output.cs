using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>How sums become elements of y: limits and zero point, as vectors, so that loops which store need not make them anew.</summary>
internal unsafe struct ByteOutput
{
    /// <summary>Limits of results, without the zero point; of float output limits alone.</summary>
    public fixed float Low[16];
    public fixed float High[16];
    public fixed int Zero[16];
    public fixed short ZeroWords[32];
    public fixed short MinimumWords[16];
    public fixed short MaximumWords[16];

    /// <summary>Of 8-bit output.</summary>
    public ByteOutput(long zero, long minimum, long maximum) : this((float)(minimum - zero), (float)(maximum - zero))
    {
        for (var i = 0; i < 16; i++)
        {
            Zero[i] = (int)zero;
            ZeroWords[i] = ZeroWords[i + 16] = (short)zero;
            MinimumWords[i] = (short)minimum;
            MaximumWords[i] = (short)maximum;
        }
    }

    /// <summary>Of float output.</summary>
    public ByteOutput(float low, float high)
    {
        for (var i = 0; i < 16; i++)
        {
            Low[i] = low;
            High[i] = high;
        }
    }
}

/// <summary>What 512-bit code multiplies sums by and limits them to, in registers; nothing elsewhere.</summary>
internal unsafe struct ByteScale
{
    public Vector512<float> Multiplier, Low, High;
    public Vector512<int> Zero;

    /// <summary>Of 16 channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ByteScale Load(float* multiplier, ByteOutput* output)
    {
        if (!Vector512.IsHardwareAccelerated) return default;
        return new()
        {
            Multiplier = Vector512.Load(multiplier), Low = Vector512.Load(output->Low), High = Vector512.Load(output->High),
            Zero = Vector512.Load(output->Zero),
        };
    }
}

/// <summary>Writes 16 sums of a pixel.</summary>
internal unsafe interface IByteOutput
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Size { get; }

    /// <summary>Writes the first of 16 sums, all of them if there are so many.</summary>
    static abstract void Store(Vector256<int> first, Vector256<int> second, float* multiplier, byte* y, long count, ByteOutput* output, in ByteScale scale);

    /// <summary>The same of one vector: 512-bit code only.</summary>
    static abstract void Store(Vector512<int> sums, float* multiplier, byte* y, long count, ByteOutput* output, in ByteScale scale);
}

/// <summary>uint8 or int8: round half even, within limits. The low bytes of results count, so both types are one.</summary>
internal readonly unsafe struct QuantizedOutput : IByteOutput
{
    public static int Size => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> first, Vector256<int> second, float* multiplier, byte* y, long count, ByteOutput* output, in ByteScale scale)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Store(first.ToVector512Unsafe().WithUpper(second), multiplier, y, count, output, scale);
            return;
        }
        Vector128<byte> bytes = Quantize(Vector256.ConvertToSingle(first) * Vector256.Load(multiplier),
            Vector256.ConvertToSingle(second) * Vector256.Load(multiplier + 8), output);
        if (count >= 16) bytes.Store(y);
        else StorePart(bytes, y, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> sums, float* multiplier, byte* y, long count, ByteOutput* output, in ByteScale scale)
    {
        // The conversion rounds half to even; not a number becomes the lower limit, as the second operand does.
        Vector512<float> v = Vector512.ConvertToSingle(sums) * scale.Multiplier;
        v = Vector512.MinNative(Vector512.MaxNative(v, scale.Low), scale.High);
        Vector128<byte> bytes = Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(v) + scale.Zero);
        if (count >= 16) bytes.Store(y);
        else StorePart(bytes, y, count);
    }

    /// <summary>The bytes of 16 results, in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Quantize(Vector256<float> first, Vector256<float> second, ByteOutput* output)
    {
        if (!Avx2.IsSupported)
        {
            Vector256<float> low = Vector256.Load(output->Low), limit = Vector256.Load(output->High);
            Vector256<int> offset = Vector256.Load(output->Zero);
            return Rounding.LowBytes(Rounding.ToInt32(first, low, limit) + offset, Rounding.ToInt32(second, low, limit) + offset);
        }
        Vector256<short> words = Words(first, second, output);
        // Lanes are interleaved by fours: first, second, first, second.
        Vector128<byte> bytes = Sse2.PackUnsignedSaturate(words.GetLower(), words.GetUpper());
        return Sse2.Shuffle(bytes.AsInt32(), 0xD8).AsByte();
    }

    /// <summary>The low bytes of 16 results as words, four of the first, four of the second, and so again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Words(Vector256<float> first, Vector256<float> second, ByteOutput* output)
    {
        // The conversion rounds half to even, and gives the lowest integer for what is too small, and for not a number.
        Vector256<float> high = Vector256.Create(512f);
        Vector256<int> p = Avx.ConvertToVector256Int32(Avx.Min(high, first)), q = Avx.ConvertToVector256Int32(Avx.Min(high, second));
        Vector256<short> words = Avx2.AddSaturate(Avx2.PackSignedSaturate(p, q), Vector256.Load(output->ZeroWords));
        return Avx2.Min(Avx2.Max(words, Vector256.Load(output->MinimumWords)), Vector256.Load(output->MaximumWords)) & Vector256.Create((short)0xFF);
    }

    /// <summary>Writes the first of 16 bytes, and nothing behind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(Vector128<byte> bytes, byte* y, long count)
    {
        var word = bytes.AsUInt64().GetElement(0);
        if (count >= 8)
        {
            Unsafe.WriteUnaligned(y, word);
            word = bytes.AsUInt64().GetElement(1);
            y += 8;
            count -= 8;
        }
        if (count >= 4)
        {
            Unsafe.WriteUnaligned(y, (uint)word);
            word >>= 32;
            y += 4;
            count -= 4;
        }
        for (; count > 0; count--, word >>= 8) *y++ = (byte)word;
    }
}

/// <summary>float: not fused, so that every CPU rounds alike.</summary>
internal readonly unsafe struct FloatOutput : IByteOutput
{
    public static int Size => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> first, Vector256<int> second, float* multiplier, byte* y, long count, ByteOutput* output, in ByteScale scale)
    {
        StoreHalf(first, multiplier, (float*)y, count, output);
        if (count > 8) StoreHalf(second, multiplier + 8, (float*)y + 8, count - 8, output);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> sums, float* multiplier, byte* y, long count, ByteOutput* output, in ByteScale scale) =>
        Store(sums.GetLower(), sums.GetUpper(), multiplier, y, count, output, scale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalf(Vector256<int> sums, float* multiplier, float* y, long count, ByteOutput* output)
    {
        Vector256<float> v = Vector256.ConvertToSingle(sums) * Vector256.Load(multiplier);
        v = Vector256.Min(Vector256.Max(v, Vector256.Load(output->Low)), Vector256.Load(output->High));
        if (count >= 8) v.Store(y);
        else
            for (var i = 0; i < count; i++) y[i] = v.GetElement(i);
    }
}
