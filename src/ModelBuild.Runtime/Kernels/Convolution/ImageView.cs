namespace ModelBuild.Kernels;

/// <summary>Bounds of strided channels-last images, for checks.</summary>
internal static class ImageView
{
    /// <summary>States that a kernel uses <paramref name="channels"/> elements of every pixel.</summary>
    /// <param name="check">The check of the call.</param>
    /// <param name="operand">The images.</param>
    /// <param name="images">How many images, and the elements from one to the next.</param>
    /// <param name="rows">Rows of an image, and the elements from one to the next.</param>
    /// <param name="pixels">Pixels of a row, and the elements from one to the next.</param>
    /// <param name="channels">Elements of a pixel.</param>
    public static void Reach(KernelCheck check, Operand operand, (long Count, long Stride) images, (long Count, long Stride) rows,
        (long Count, long Stride) pixels, long channels)
    {
        if (images.Count <= 0 || rows.Count <= 0 || pixels.Count <= 0 || channels <= 0) return;
        // Counts and strides have 31 bits each, so that no product or sum overflows 128 bits.
        var reach = (Int128)(images.Count - 1) * images.Stride + (Int128)(rows.Count - 1) * rows.Stride + (Int128)(pixels.Count - 1) * pixels.Stride + channels;
        check.Reaches(operand, (long)Int128.Min(reach, long.MaxValue));
    }

    /// <summary>States that a kernel writes <paramref name="channels"/> elements of every pixel, none of them twice.</summary>
    /// <param name="check">The check of the call.</param>
    /// <param name="operand">The images.</param>
    /// <param name="images">How many images, and the elements from one to the next.</param>
    /// <param name="rows">Rows of an image, and the elements from one to the next.</param>
    /// <param name="pixels">Pixels of a row, and the elements from one to the next.</param>
    /// <param name="channels">Elements of a pixel.</param>
    public static void Written(KernelCheck check, Operand operand, (long Count, long Stride) images, (long Count, long Stride) rows,
        (long Count, long Stride) pixels, long channels)
    {
        Reach(check, operand, images, rows, pixels, channels);
        check.Distinct(images, rows, pixels, (channels, 1));
    }
}
