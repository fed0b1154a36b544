using ModelBuild.Managed;

namespace ModelBuild.Kernels;

/// <summary>
/// What a kernel reads or writes. In a program it names a buffer, with an offset in elements, or a constant; in a call that is ready to run it is an address.
/// The same 8 bytes hold both forms, so that a record of arguments is one type for lowering, check and run.
/// </summary>
internal readonly unsafe struct Operand : IEquatable<Operand>
{
    private const int KindShift = 62, OffsetShift = 31;
    private const long IndexMask = (1L << OffsetShift) - 1;
    private readonly long _word;

    private Operand(long word) => _word = word;

    /// <summary>An optional operand that is left out, in either form.</summary>
    public static Operand Absent => default;

    /// <summary>An activation from an element on.</summary>
    /// <param name="index">The buffer.</param>
    /// <param name="offset">The expression of the first element's index, or none for the first.</param>
    public static Operand Buffer(int index, Size? offset = null) =>
        new(1L << KindShift | (offset is { } o ? checked((int)o.Expression) + 1L : 0) << OffsetShift | (uint)index);

    /// <summary>A constant.</summary>
    public static Operand Constant(int index) => new(2L << KindShift | (uint)index);

    /// <summary>The form that runs.</summary>
    public static Operand At(void* address) => new((long)address);

    public bool IsPresent => _word != 0;

    /// <summary>Of the form in a program: what it refers to.</summary>
    public OperandKind Kind => (OperandKind)(int)((ulong)_word >> KindShift);

    /// <summary>Of the form in a program: the index of the buffer or constant.</summary>
    public int Index => (int)(_word & IndexMask);

    /// <summary>Of the form in a program: the expression of the offset in elements; null for none.</summary>
    public Size? Offset => ((_word >> OffsetShift) & IndexMask) is > 0 and var e ? Size.OfExpression((int)(e - 1)) : null;

    public static implicit operator void*(Operand operand) => (void*)operand._word;

    public static implicit operator byte*(Operand operand) => (byte*)operand._word;

    public static implicit operator sbyte*(Operand operand) => (sbyte*)operand._word;

    public static implicit operator int*(Operand operand) => (int*)operand._word;

    public static implicit operator long*(Operand operand) => (long*)operand._word;

    public static implicit operator float*(Operand operand) => (float*)operand._word;

    public bool Equals(Operand other) => _word == other._word;

    public override bool Equals(object? obj) => obj is Operand other && Equals(other);

    public override int GetHashCode() => _word.GetHashCode();
}
