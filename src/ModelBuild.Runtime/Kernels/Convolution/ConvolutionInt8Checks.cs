namespace ModelBuild.Kernels;

/// <summary>What must hold for kernels on 8-bit images. Counts and strides have 31 bits each: sums of their products are made in 128 bits.</summary>
internal static class ImageChecks
{
    /// <summary>How far windows reach.</summary>
    public static void Input(KernelCheck check, Operand x, long images, long rows, long columns, long channels, long kernelRows, long kernelColumns,
        long strideRows, long strideColumns, long dilationRows, long dilationColumns, long pixel, long row, long image)
    {
        if (images == 0 || rows == 0 || columns == 0 || kernelRows == 0 || kernelColumns == 0) return;
        var lastRow = (Int128)(rows - 1) * strideRows + (Int128)(kernelRows - 1) * dilationRows;
        var lastColumn = (Int128)(columns - 1) * strideColumns + (Int128)(kernelColumns - 1) * dilationColumns;
        if (lastRow > int.MaxValue || lastColumn > int.MaxValue) throw check.Damaged("a window is too far off");
        check.Reaches(x, Limited((Int128)(images - 1) * image + lastRow * row + lastColumn * pixel + channels));
    }

    /// <summary>How far an image that is written reaches; its pixels do not overlap.</summary>
    public static void Output(KernelCheck check, Operand y, long images, long rows, long columns, long channels, long pixel, long row, long image)
    {
        if (images == 0 || rows == 0 || columns == 0) return;
        var ofRow = (Int128)(columns - 1) * pixel + channels;
        var ofImage = (Int128)(rows - 1) * row + ofRow;
        check.Reaches(y, Limited((Int128)(images - 1) * image + ofImage));
        if (columns > 1) check.InRange(Size.Of(pixel), channels, int.MaxValue);
        if (rows > 1) check.InRange(Size.Of(row), Limited(ofRow), int.MaxValue);
        if (images > 1) check.InRange(Size.Of(image), Limited(ofImage), int.MaxValue);
    }

    /// <summary>Types of 8 bits hold their zero points and limits.</summary>
    public static void Quantization(KernelCheck check, ModelElementType x, ModelElementType y, Size xZero, Size yZero, Size yMinimum, Size yMaximum,
        bool mayBeFloat)
    {
        Holds(check, x, xZero);
        if (mayBeFloat && y == ModelElementType.Float) return;
        Holds(check, y, yZero);
        Holds(check, y, yMinimum);
        Holds(check, y, yMaximum);
        check.InRange(yMaximum, yMinimum, byte.MaxValue);
    }

    /// <summary>A type of 8 bits holds a value.</summary>
    public static void Holds(KernelCheck check, ModelElementType type, Size value)
    {
        if (type is not (ModelElementType.UInt8 or ModelElementType.Int8)) throw check.Damaged($"{type} is no type of 8 bits");
        if (type == ModelElementType.Int8) check.InRange(value, sbyte.MinValue, sbyte.MaxValue);
        else check.InRange(value, byte.MinValue, byte.MaxValue);
    }

    /// <summary>A kernel has no more than 2^20 elements, and one at least.</summary>
    public static void Kernel(KernelCheck check, Size rows, Size columns)
    {
        check.InRange(rows, 1, 1 << 20);
        check.InRange(columns, 1, (1 << 20) / rows);
    }

    /// <summary>The number, or the largest if it is too large.</summary>
    public static long Limited(Int128 value) => (long)Int128.Min(value, long.MaxValue);
}
