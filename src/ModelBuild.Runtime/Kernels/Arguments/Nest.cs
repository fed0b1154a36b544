using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>Six numbers, one for each loop of a nest, outermost first: how often the loops run, or how many elements an operand moves from one turn to the
/// next (0: it is broadcast). Loops that are not needed run once.</summary>
internal struct Loops
{
    /// <summary>The most loops of a nest.</summary>
    public const int Count = 6;
    public Size L0, L1, L2, L3, L4, L5;

    /// <summary>The innermost number.</summary>
    public readonly long Inner => L5;

    public void Visit<TVisitor>(ref TVisitor visitor, string name) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Size(ref L0, $"{name}0");
        visitor.Size(ref L1, $"{name}1");
        visitor.Size(ref L2, $"{name}2");
        visitor.Size(ref L3, $"{name}3");
        visitor.Size(ref L4, $"{name}4");
        visitor.Size(ref L5, $"{name}5");
    }

    /// <summary>Bound loops for tests and benchmarks: the numbers given are the innermost ones.</summary>
    public static Loops Of(long outside, params ReadOnlySpan<long> inner)
    {
        Span<long> all = [outside, outside, outside, outside, outside, outside];
        inner.CopyTo(all[(Count - inner.Length)..]);
        return new Loops { L0 = Size.Of(all[0]), L1 = Size.Of(all[1]), L2 = Size.Of(all[2]), L3 = Size.Of(all[3]), L4 = Size.Of(all[4]), L5 = Size.Of(all[5]) };
    }
}

/// <summary>
/// The loops around the innermost one, cut into tiles: a tile is a part of one row, where rows are long, or one row. A cursor moves through them and keeps the
/// offsets of up to four operands.
/// </summary>
internal struct NestCursor
{
    // Elements of a tile: rows that are longer are cut, so that several threads share them.
    private const long MostInner = 8192;
    private long _i0, _i1, _i2, _i3, _i4, _part;
    private readonly long _parts;
    private readonly Loops _extents;

    /// <summary>How many tiles a nest has.</summary>
    public static long Tiles(in Loops extents) => Rows(extents) * Parts(extents);

    /// <summary>How many elements a nest has.</summary>
    public static double Elements(in Loops extents) => (double)Rows(extents) * extents.L5;

    /// <summary>A cursor at a tile.</summary>
    public NestCursor(in Loops extents, long tile)
    {
        _extents = extents;
        _parts = Parts(extents);
        (var row, _part) = (tile / _parts, tile % _parts);
        if (row == 0) return;
        (row, _i4) = (row / extents.L4, row % extents.L4);
        (row, _i3) = (row / extents.L3, row % extents.L3);
        (row, _i2) = (row / extents.L2, row % extents.L2);
        (_i0, _i1) = (row / extents.L1, row % extents.L1);
    }

    /// <summary>Whether the loop around the innermost one is at its start.</summary>
    public readonly bool IsFirst => _i4 == 0;

    /// <summary>The first element of the tile within its row.</summary>
    public readonly long Start
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _part * MostInner;
    }

    /// <summary>How many elements of the row the tile has.</summary>
    public readonly long Length
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Math.Min(MostInner, _extents.L5 - Start);
    }

    /// <summary>Where an operand's part of the tile begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly long Offset(in Loops strides) =>
        _i0 * strides.L0 + _i1 * strides.L1 + _i2 * strides.L2 + _i3 * strides.L3 + _i4 * strides.L4 + Start * strides.L5;

    /// <summary>Goes on to the next tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next()
    {
        if (++_part < _parts) return;
        _part = 0;
        if (++_i4 < _extents.L4) return;
        _i4 = 0;
        if (++_i3 < _extents.L3) return;
        _i3 = 0;
        if (++_i2 < _extents.L2) return;
        _i2 = 0;
        if (++_i1 < _extents.L1) return;
        _i1 = 0;
        _i0++;
    }

    /// <summary>States how far an operand reaches under a nest.</summary>
    public static void Check(KernelCheck check, Operand operand, in Loops extents, in Loops strides) =>
        Check(check, operand, extents, strides, Loops.Of(1), default);

    /// <summary>States how far an operand reaches that is written under a nest, and that no element is written twice.</summary>
    public static void CheckWritten(KernelCheck check, Operand operand, in Loops extents, in Loops strides)
    {
        Check(check, operand, extents, strides);
        CheckDistinct(check, extents, strides);
    }

    /// <summary>No two turns of a nest meet the same element.</summary>
    public static void CheckDistinct(KernelCheck check, in Loops extents, in Loops strides) =>
        check.Distinct((extents.L0, strides.L0), (extents.L1, strides.L1), (extents.L2, strides.L2), (extents.L3, strides.L3), (extents.L4, strides.L4),
            (extents.L5, strides.L5));

    /// <summary>States how far an operand reaches under a nest within another one.</summary>
    public static void Check(KernelCheck check, Operand operand, in Loops extents, in Loops strides, in Loops innerExtents, in Loops innerStrides)
    {
        var (first, last) = (0L, 0L);
        var any = Reach(check, extents, strides, ref first, ref last) & Reach(check, innerExtents, innerStrides, ref first, ref last);
        if (any) check.Reaches(operand, first, last);
    }

    private static bool Reach(KernelCheck check, in Loops extents, in Loops strides, ref long first, ref long last)
    {
        check.Sizes(extents.L0, extents.L1, extents.L2, extents.L3, extents.L4, extents.L5);
        ReadOnlySpan<long> all = [extents.L0, extents.L1, extents.L2, extents.L3, extents.L4, extents.L5];
        ReadOnlySpan<long> steps = [strides.L0, strides.L1, strides.L2, strides.L3, strides.L4, strides.L5];
        var any = true;
        for (var i = 0; i < all.Length; i++)
        {
            any &= all[i] > 0;
            if (steps[i] > 0) last = checked(last + (all[i] - 1) * steps[i]);
            else first = checked(first + (all[i] - 1) * steps[i]);
        }
        // Tiles are counted in 64 bits.
        _ = checked(Rows(extents) * extents.L5);
        return any;
    }

    private static long Rows(in Loops extents) => checked(extents.L0 * extents.L1 * extents.L2 * extents.L3 * extents.L4);

    // A row without elements has one part of none.
    private static long Parts(in Loops extents) => Math.Max(1, (extents.L5 + MostInner - 1) / MostInner);
}
