using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>ONNX DynamicQuantizeLinear in parts: the range of values and zero, in 255 steps, for uint8.</summary>
internal unsafe struct RecurrentQuantizer
{
    /// <summary>Bytes before the quantized rows.</summary>
    public const int Header = 64;

    private float _low, _high;

    public float Scale;
    public int Zero;

    /// <summary>Bytes from one quantized row to the next: whole vectors of 16 are written.</summary>
    public static long Stride(long count) => (count + 15) / 16 * 16;

    /// <summary>Bytes for the quantizer of x and quantized rows. Groups of 4 are read beyond a row's end, so there is a vector more.</summary>
    public static long Scratch(long inputs, long hidden) => Header + RecurrentFrame.ProjectedRows * Math.Max(Stride(inputs), Stride(hidden)) + 16;

    /// <summary>Widens the range to values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Measure(float* x, long count)
    {
        Vector256<float> low = Vector256.Create(_low), high = Vector256.Create(_high);
        long i = 0;
        for (; i <= count - 8; i += 8)
        {
            Vector256<float> v = Vector256.Load(x + i);
            low = Vector256.MinNative(low, v);
            high = Vector256.MaxNative(high, v);
        }
        Vector128<float> l = Vector128.Min(low.GetLower(), low.GetUpper()), h = Vector128.Max(high.GetLower(), high.GetUpper());
        l = Vector128.Min(l, Vector128.Shuffle(l, Vector128.Create(2, 3, 0, 1)));
        h = Vector128.Max(h, Vector128.Shuffle(h, Vector128.Create(2, 3, 0, 1)));
        _low = MathF.Min(l.GetElement(0), l.GetElement(1));
        _high = MathF.Max(h.GetElement(0), h.GetElement(1));
        for (; i < count; i++)
        {
            _low = MathF.Min(_low, x[i]);
            _high = MathF.Max(_high, x[i]);
        }
    }

    /// <summary>Chooses scale and zero point. All zeros: any scale gives zeros; ONNX Runtime takes 1.</summary>
    public void Choose()
    {
        Scale = _high == _low ? 1 : (_high - _low) / 255;
        Zero = (int)Math.Clamp(MathF.Round(-_low / Scale), 0, 255);
    }

    /// <summary>Quantizes a row, 16 values at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Quantize(float* x, byte* y, long count)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<float> divisor512 = Vector512.Create(Scale), low512 = Vector512.Create((float)-Zero), high512 = Vector512.Create((float)(255 - Zero));
            Vector512<int> zero512 = Vector512.Create(Zero);
            for (long i = 0; i < count; i += 16)
            {
                // The conversion rounds half to even; not a number becomes the lower limit, as the second operand does.
                Vector512<float> v = Vector512.MinNative(Vector512.MaxNative(Vector512.Load(x + i) / divisor512, low512), high512);
                Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(v) + zero512).Store(y + i);
            }
            return;
        }
        Vector256<float> divisor = Vector256.Create(Scale), low = Vector256.Create((float)-Zero), high = Vector256.Create((float)(255 - Zero));
        Vector256<int> zero = Vector256.Create(Zero);
        for (long i = 0; i < count; i += 16)
        {
            Vector256<int> a = Rounding.ToInt32(Vector256.Load(x + i) / divisor, low, high) + zero;
            Vector256<int> b = Rounding.ToInt32(Vector256.Load(x + i + 8) / divisor, low, high) + zero;
            Rounding.LowBytes(a, b).Store(y + i);
        }
    }
}

/// <summary>Rows of uint8 against weights of <see cref="DenseInt8Packing"/>: y = start + (x - Zero) W * Scale[column] * Factor.</summary>
internal unsafe struct RecurrentInt8Product
{
    public byte* X;
    public long XStride;
    public byte* W;
    public float* Scale;
    public float* Start;
    /// <summary>Floats from one row's start to the next: 0 for the same one.</summary>
    public long StartStride;
    public float* Y;
    public long YStride;
    public long Rows;
    public long K;
    public long Columns;
    public float Factor;
    public int Zero;
}

/// <summary>One instruction-set path of integer products of recurrent kernels; sums are exact on all.</summary>
internal unsafe interface IRecurrentInt8Path
{
    static abstract void Run(RecurrentInt8Product* p);

    /// <summary>For weights from -64 to 64.</summary>
    static abstract void RunNarrow(RecurrentInt8Product* p);
}

/// <summary>
/// 256-bit path. A few rows: a panel of 32 columns against one row after another, two groups of 4 weights in flight. More: the tiles of the integer
/// convolution, as of an image whose pixels are the rows.
/// </summary>
internal readonly unsafe struct RecurrentInt8Avx2<TNarrow, TWide> : IRecurrentInt8Path where TNarrow : struct, IByteDot where TWide : struct, IByteDot
{
    public static void Run(RecurrentInt8Product* p) => Run<TWide>(p);

    public static void RunNarrow(RecurrentInt8Product* p) => Run<TNarrow>(p);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TDot>(RecurrentInt8Product* p) where TDot : struct, IByteDot
    {
        if (p->Rows >= 4) RunTiles<TDot>(p);
        else RunRows<TDot>(p);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunTiles<TDot>(RecurrentInt8Product* p) where TDot : struct, IByteDot
    {
        var x = stackalloc byte*[RecurrentFrame.ProjectedRows];
        var y = stackalloc byte*[RecurrentFrame.ProjectedRows];
        var start = stackalloc int[Panels.Wide];
        var multiplier = stackalloc float[Panels.Wide];
        for (long row = 0; row < p->Rows; row++)
        {
            x[row] = p->X + row * p->XStride;
            y[row] = (byte*)(p->Y + row * p->YStride);
        }
        long offset = 0;
        ByteOutput output = new(float.NegativeInfinity, float.PositiveInfinity);
        ConvolutionInt8Tile tile = new()
        {
            X = x, Y = y, Offsets = &offset, Runs = 1, RunLength = DenseInt8Packing.PaddedRows(p->K), Start = start, Multiplier = multiplier, Rows = p->Rows,
            Output = &output,
        };
        var columnSums = (int*)p->W;
        var panel = p->W + Panels.PaddedColumns(p->Columns) * sizeof(int);
        for (long column = 0; column < p->Columns; column += Panels.Wide)
        {
            tile.Width = Panels.WidthAt(column, p->Columns);
            tile.Filled = (int)Math.Min(tile.Width, p->Columns - column);
            tile.W = panel;
            tile.YOffset = column * sizeof(float);
            for (var c = 0; c < tile.Width; c += 8)
            {
                (Vector256.Load(columnSums + column + c) * -p->Zero).Store(start + c);
                (Vector256.Load(p->Scale + column + c) * p->Factor).Store(multiplier + c);
            }
            ConvolutionInt8Avx2<TDot, UnsignedSource, FloatOutput>.Run(&tile);
            panel += tile.RunLength * tile.Width;
        }
        // Tiles may compute a row twice, so starts are added at the end.
        for (long row = 0; row < p->Rows; row++)
        {
            float* from = p->Start + row * p->StartStride, to = p->Y + row * p->YStride;
            for (long c = 0; c < p->Columns; c += 8) (Vector256.Load(from + c) + Vector256.Load(to + c)).Store(to + c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunRows<TDot>(RecurrentInt8Product* p) where TDot : struct, IByteDot
    {
        var columnSums = (int*)p->W;
        var panel = (sbyte*)(p->W + Panels.PaddedColumns(p->Columns) * sizeof(int));
        nint length = (nint)DenseInt8Packing.PaddedRows(p->K);
        Vector256<int> zero = Vector256.Create(-p->Zero);
        Vector256<float> factor = Vector256.Create(p->Factor);
        for (long column = 0; column < p->Columns; column += Panels.Wide)
        {
            var width = Panels.WidthAt(column, p->Columns);
            // (x - zero) W = x W - zero * (column sum of W).
            var sums = columnSums + column;
            var scale = p->Scale + column;
            Vector256<int> z0 = Vector256.Load(sums) * zero, z1 = Vector256.Load(sums + 8) * zero, z2 = default, z3 = default;
            Vector256<float> m0 = Vector256.Load(scale) * factor, m1 = Vector256.Load(scale + 8) * factor, m2 = default, m3 = default;
            if (width == Panels.Wide)
            {
                z2 = Vector256.Load(sums + 16) * zero;
                z3 = Vector256.Load(sums + 24) * zero;
                m2 = Vector256.Load(scale + 16) * factor;
                m3 = Vector256.Load(scale + 24) * factor;
            }
            for (long row = 0; row < p->Rows; row++)
            {
                byte* x = p->X + row * p->XStride, end = x + length;
                float* start = p->Start + row * p->StartStride + column, y = p->Y + row * p->YStride + column;
                var w = panel;
                if (width == Panels.Wide)
                {
                    Vector256<int> a0 = z0, a1 = z1, a2 = z2, a3 = z3, b0 = default, b1 = default, b2 = default, b3 = default;
                    for (; end - x >= 8; x += 8, w += 256)
                    {
                        Vector256<byte> v = UnsignedSource.Broadcast(x);
                        a0 = TDot.Add(a0, v, Vector256.Load(w));
                        a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
                        a2 = TDot.Add(a2, v, Vector256.Load(w + 64));
                        a3 = TDot.Add(a3, v, Vector256.Load(w + 96));
                        v = UnsignedSource.Broadcast(x + 4);
                        b0 = TDot.Add(b0, v, Vector256.Load(w + 128));
                        b1 = TDot.Add(b1, v, Vector256.Load(w + 160));
                        b2 = TDot.Add(b2, v, Vector256.Load(w + 192));
                        b3 = TDot.Add(b3, v, Vector256.Load(w + 224));
                    }
                    if (x < end)
                    {
                        Vector256<byte> v = UnsignedSource.Broadcast(x);
                        a0 = TDot.Add(a0, v, Vector256.Load(w));
                        a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
                        a2 = TDot.Add(a2, v, Vector256.Load(w + 64));
                        a3 = TDot.Add(a3, v, Vector256.Load(w + 96));
                    }
                    (Vector256.Load(start) + Vector256.ConvertToSingle(a0 + b0) * m0).Store(y);
                    (Vector256.Load(start + 8) + Vector256.ConvertToSingle(a1 + b1) * m1).Store(y + 8);
                    (Vector256.Load(start + 16) + Vector256.ConvertToSingle(a2 + b2) * m2).Store(y + 16);
                    (Vector256.Load(start + 24) + Vector256.ConvertToSingle(a3 + b3) * m3).Store(y + 24);
                }
                else
                {
                    Vector256<int> a0 = z0, a1 = z1;
                    for (; x < end; x += 4, w += 64)
                    {
                        Vector256<byte> v = UnsignedSource.Broadcast(x);
                        a0 = TDot.Add(a0, v, Vector256.Load(w));
                        a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
                    }
                    (Vector256.Load(start) + Vector256.ConvertToSingle(a0) * m0).Store(y);
                    (Vector256.Load(start + 8) + Vector256.ConvertToSingle(a1) * m1).Store(y + 8);
                }
            }
            panel += length * width;
        }
    }
}

/// <summary>Any CPU: 4 columns at a time, as the portable integer dense layer multiplies them.</summary>
internal readonly unsafe struct RecurrentInt8Vector128 : IRecurrentInt8Path
{
    public static void RunNarrow(RecurrentInt8Product* p) => Run(p);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(RecurrentInt8Product* p)
    {
        var columnSums = (int*)p->W;
        var panel = (sbyte*)(p->W + Panels.PaddedColumns(p->Columns) * sizeof(int));
        nint length = (nint)DenseInt8Packing.PaddedRows(p->K);
        for (long column = 0; column < p->Columns; column += Panels.Wide)
        {
            var width = Panels.WidthAt(column, p->Columns);
            for (long row = 0; row < p->Rows; row++)
                for (var part = 0; part < width; part += 4)
                {
                    Vector128<int> sum = Vector128.Load(columnSums + column + part) * -p->Zero;
                    byte* x = p->X + row * p->XStride, end = x + length;
                    for (var w = panel + 4 * part; x < end; x += 4, w += 4 * width)
                        sum = PortableDot.Add(sum, Vector128.Create(Unsafe.ReadUnaligned<int>(x)).AsByte(), Vector128.Load(w));
                    Vector128<float> scale = Vector128.Load(p->Scale + column + part) * p->Factor;
                    (Vector128.Load(p->Start + row * p->StartStride + column + part) + Vector128.ConvertToSingle(sum) * scale)
                        .Store(p->Y + row * p->YStride + column + part);
                }
            panel += length * width;
        }
    }
}
