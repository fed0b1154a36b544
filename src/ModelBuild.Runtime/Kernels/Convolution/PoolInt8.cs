using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>What <see cref="PoolInt8Arguments"/> computes. The numbers are part of the artifact format.</summary>
internal enum PoolInt8Kind
{
    /// <summary>The largest value: ONNX MaxPool of 8-bit values, whose scale and zero point stay.</summary>
    Max = 0,
    /// <summary>QLinearAveragePool: values are scaled, added up and divided as floats, then quantized.</summary>
    Average = 1,
    /// <summary>QLinearGlobalAveragePool: exact int32 sums, which one product scales. No padding.</summary>
    Mean = 2,
}

/// <summary>
/// Pooling of 8-bit images whose channels come last. Unlike other kernels on images it takes them without a border: what a window has beyond them counts for
/// nothing, or for averages as zeros if <see cref="CountsPadding"/>.
/// </summary>
internal unsafe struct PoolInt8Arguments : IKernelArguments<PoolInt8Arguments>
{
    /// <summary>UInt8 or Int8, of x and y.</summary>
    public ModelElementType Type;
    /// <summary>The first element of the image.</summary>
    public Operand X;
    public Operand Y;
    /// <summary><see cref="PoolInt8Kind"/>.</summary>
    public Size Kind;
    public Size Images, InputRows, InputColumns, OutputRows, OutputColumns, Channels;
    public Size KernelRows, KernelColumns, StrideRows, StrideColumns, DilationRows, DilationColumns;
    /// <summary>Rows before the first row of the image, and columns before its first column, that the first window has.</summary>
    public Size PadRows, PadColumns;
    /// <summary>1 if averages divide by the size of the kernel, 0 if by what a window has of the image.</summary>
    public Size CountsPadding;
    /// <summary>Elements from one pixel, row or image to the next.</summary>
    public Size XPixel, XRow, XImage, YPixel, YRow, YImage;
    public Size XZero, YZero;
    public float XScale, YScale;

    public static Kernel<PoolInt8Arguments> Kernel { get; } = new(KernelIds.PoolInt8, "PoolInt8",
        new Variant<PoolInt8Arguments>("vector", true, &PoolInt8.Run));

    public readonly long Tiles => Images * OutputRows;

    public readonly long Scratch => sizeof(ByteOutput) + 64;

    public readonly double Work => (double)Images * OutputRows * OutputColumns * Channels * KernelRows * KernelColumns;

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Input(ref X, nameof(X), Type);
        visitor.Output(ref Y, nameof(Y), Type);
        visitor.Size(ref Kind, nameof(Kind));
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref InputRows, nameof(InputRows));
        visitor.Size(ref InputColumns, nameof(InputColumns));
        visitor.Size(ref OutputRows, nameof(OutputRows));
        visitor.Size(ref OutputColumns, nameof(OutputColumns));
        visitor.Size(ref Channels, nameof(Channels));
        visitor.Size(ref KernelRows, nameof(KernelRows));
        visitor.Size(ref KernelColumns, nameof(KernelColumns));
        visitor.Size(ref StrideRows, nameof(StrideRows));
        visitor.Size(ref StrideColumns, nameof(StrideColumns));
        visitor.Size(ref DilationRows, nameof(DilationRows));
        visitor.Size(ref DilationColumns, nameof(DilationColumns));
        visitor.Size(ref PadRows, nameof(PadRows));
        visitor.Size(ref PadColumns, nameof(PadColumns));
        visitor.Size(ref CountsPadding, nameof(CountsPadding));
        visitor.Size(ref XPixel, nameof(XPixel));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref XImage, nameof(XImage));
        visitor.Size(ref YPixel, nameof(YPixel));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref YImage, nameof(YImage));
        visitor.Size(ref XZero, nameof(XZero));
        visitor.Size(ref YZero, nameof(YZero));
        visitor.Number(ref XScale, nameof(XScale));
        visitor.Number(ref YScale, nameof(YScale));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Y);
        check.Sizes(Images, InputRows, InputColumns, OutputRows, OutputColumns, Channels, KernelRows, KernelColumns, StrideRows, StrideColumns, DilationRows,
            DilationColumns, PadRows, PadColumns, XPixel, XRow, XImage, YPixel, YRow, YImage);
        check.InRange(Kind, 0, (long)PoolInt8Kind.Mean);
        check.InRange(CountsPadding, 0, 1);
        check.InRange(DilationRows, 1, int.MaxValue);
        check.InRange(DilationColumns, 1, int.MaxValue);
        // The image, as one window at each pixel.
        ImageChecks.Input(check, X, Images, InputRows, InputColumns, Channels, 1, 1, 1, 1, 1, 1, XPixel, XRow, XImage);
        check.InRange(Channels, 1, int.MaxValue);
        ImageChecks.Kernel(check, KernelRows, KernelColumns);
        check.Sizes(Size.Of(OutputRows * StrideRows), Size.Of(OutputColumns * StrideColumns), Size.Of(KernelRows * DilationRows),
            Size.Of(KernelColumns * DilationColumns));
        ImageChecks.Output(check, Y, Images, OutputRows, OutputColumns, Channels, YPixel, YRow, YImage);
        ImageChecks.Holds(check, Type, XZero);
        ImageChecks.Holds(check, Type, YZero);
    }
}

/// <summary>The code of <see cref="PoolInt8Arguments"/>: windows are cut to the image, channels are taken 16 or 32 at a time.</summary>
internal static unsafe class PoolInt8
{
    /// <summary>What a window has of the image.</summary>
    private ref struct Window
    {
        public byte* X;
        public long Rows;
        public long Columns;
        /// <summary>From one row or column of the window to the next.</summary>
        public long RowStep;
        public long ColumnStep;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(PoolInt8Arguments* a, long first, long last, byte* scratch)
    {
        var signed = a->Type == ModelElementType.Int8;
        var output = (ByteOutput*)scratch;
        // An average's zero point is added before rounding, as ONNX Runtime does.
        *output = new ByteOutput(a->Kind == (long)PoolInt8Kind.Average ? 0 : (long)a->YZero, signed ? sbyte.MinValue : byte.MinValue,
            signed ? sbyte.MaxValue : byte.MaxValue);
        long rows = a->OutputRows;
        Window w = new() { RowStep = a->DilationRows * a->XRow, ColumnStep = a->DilationColumns * a->XPixel };
        for (var tile = first; tile < last; tile++)
        {
            long image = tile / rows, row = tile % rows;
            var y = (byte*)a->Y + image * a->YImage + row * a->YRow;
            (var top, w.Rows) = Part(row, a->StrideRows, a->PadRows, a->KernelRows, a->DilationRows, a->InputRows);
            for (long column = 0; column < a->OutputColumns; column++, y += a->YPixel)
            {
                (var left, w.Columns) = Part(column, a->StrideColumns, a->PadColumns, a->KernelColumns, a->DilationColumns, a->InputColumns);
                w.X = (byte*)a->X + image * a->XImage + top * a->XRow + left * a->XPixel;
                if (a->Kind == (long)PoolInt8Kind.Max) Max(in w, y, a->Channels, signed);
                else if (a->Kind == (long)PoolInt8Kind.Mean) Mean(a, in w, y, output, signed);
                else Average(a, in w, y, output, signed);
            }
        }
    }

    // The first row (or column) of a window that is in the image, and how many are.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (long First, long Count) Part(long index, long stride, long pad, long kernel, long dilation, long length)
    {
        var start = index * stride - pad;
        var skipped = start < 0 ? (-start + dilation - 1) / dilation : 0;
        var end = start + kernel * dilation <= length ? kernel : (length - start + dilation - 1) / dilation;
        return end > skipped ? (start + skipped * dilation, end - skipped) : (0, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Max(in Window w, byte* y, long channels, bool signed)
    {
        // An int8 value with its sign bit turned is in order as a uint8.
        Vector256<byte> turn = Vector256.Create(signed ? (byte)0x80 : (byte)0);
        for (long c = 0; c < channels; c += 32)
        {
            Vector256<byte> max = default;
            var line = w.X + c;
            for (long r = 0; r < w.Rows; r++, line += w.RowStep)
            {
                var x = line;
                for (long k = 0; k < w.Columns; k++, x += w.ColumnStep) max = Vector256.Max(max, Vector256.Load(x) ^ turn);
            }
            max ^= turn;
            var left = channels - c;
            if (left >= 32) max.Store(y + c);
            else if (left < 16) QuantizedOutput.StorePart(max.GetLower(), y + c, left);
            else
            {
                max.GetLower().Store(y + c);
                QuantizedOutput.StorePart(max.GetUpper(), y + c + 16, left - 16);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mean(PoolInt8Arguments* a, in Window w, byte* y, ByteOutput* output, bool signed)
    {
        var count = w.Rows * w.Columns;
        Vector256<float> scale = Vector256.Create(a->XScale / (a->YScale * (float)count));
        Vector256<int> start = Vector256.Create((int)(-count * a->XZero));
        for (long c = 0; c < a->Channels; c += 16)
        {
            Vector256<int> p = start, q = start;
            var line = w.X + c;
            for (long r = 0; r < w.Rows; r++, line += w.RowStep)
            {
                var x = line;
                for (long k = 0; k < w.Columns; k++, x += w.ColumnStep)
                {
                    (Vector256<int> u, Vector256<int> v) = Widen(Vector128.Load(x), signed);
                    p += u;
                    q += v;
                }
            }
            Store(Vector256.ConvertToSingle(p) * scale, Vector256.ConvertToSingle(q) * scale, y + c, a->Channels - c, output);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Average(PoolInt8Arguments* a, in Window w, byte* y, ByteOutput* output, bool signed)
    {
        Vector256<float> scale = Vector256.Create(a->XScale), divisor = Vector256.Create(a->YScale), offset = Vector256.Create((float)(long)a->YZero);
        Vector256<float> count = Vector256.Create((float)(a->CountsPadding == 1 ? a->KernelRows * a->KernelColumns : w.Rows * w.Columns));
        Vector256<int> zero = Vector256.Create((int)a->XZero);
        for (long c = 0; c < a->Channels; c += 16)
        {
            // Products and sums are rounded apart, in the order of the window, as ONNX Runtime does.
            Vector256<float> p = default, q = default;
            var line = w.X + c;
            for (long r = 0; r < w.Rows; r++, line += w.RowStep)
            {
                var x = line;
                for (long k = 0; k < w.Columns; k++, x += w.ColumnStep)
                {
                    (Vector256<int> u, Vector256<int> v) = Widen(Vector128.Load(x), signed);
                    p += Vector256.ConvertToSingle(u - zero) * scale;
                    q += Vector256.ConvertToSingle(v - zero) * scale;
                }
            }
            Store(p / count / divisor + offset, q / count / divisor + offset, y + c, a->Channels - c, output);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> First, Vector256<int> Second) Widen(Vector128<byte> x, bool signed)
    {
        if (Avx2.IsSupported)
        {
            Vector128<byte> high = Sse2.ShiftRightLogical128BitLane(x, 8);
            return signed ? (Avx2.ConvertToVector256Int32(x.AsSByte()), Avx2.ConvertToVector256Int32(high.AsSByte()))
                : (Avx2.ConvertToVector256Int32(x), Avx2.ConvertToVector256Int32(high));
        }
        if (signed)
        {
            (Vector128<short> p, Vector128<short> q) = Vector128.Widen(x.AsSByte());
            return (Vector256.Create(Vector128.WidenLower(p), Vector128.WidenUpper(p)), Vector256.Create(Vector128.WidenLower(q), Vector128.WidenUpper(q)));
        }
        (Vector128<ushort> low, Vector128<ushort> up) = Vector128.Widen(x);
        return (Vector256.Create(Vector128.WidenLower(low), Vector128.WidenUpper(low)).AsInt32(),
            Vector256.Create(Vector128.WidenLower(up), Vector128.WidenUpper(up)).AsInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> first, Vector256<float> second, byte* y, long left, ByteOutput* output)
    {
        Vector128<byte> bytes = QuantizedOutput.Quantize(first, second, output);
        if (left >= 16) bytes.Store(y);
        else QuantizedOutput.StorePart(bytes, y, left);
    }
}
