namespace ModelBuild.Kernels;

/// <summary>
/// How the N columns of dense weights are cut into panels: 32 columns wide, and the last one 16 where 16 hold what is left. Columns beyond N are
/// zeros. 32 floats are two 512-bit vectors, two halves of 16 columns for 256-bit tiles, and 32 columns of four 8-bit values are four 256-bit vectors.
/// </summary>
internal static class Panels
{
    public const int Wide = 32;
    public const int Narrow = 16;

    /// <summary>Columns with their padding.</summary>
    public static long PaddedColumns(long n) => (n + Narrow - 1) / Narrow * Narrow;

    /// <summary>How many panels there are.</summary>
    public static long Count(long n) => (n + Wide - 1) / Wide;

    /// <summary>The width of the panel that starts at a column.</summary>
    public static int WidthAt(long column, long n) => n - column > Narrow ? Wide : Narrow;
}
