namespace ModelBuild.Kernels;

/// <summary>
/// A size, stride, count or flag of a kernel call. In a program it is the index of an expression over the named dimensions; in a call that is ready to run
/// it is the value.
/// </summary>
internal readonly record struct Size
{
    private readonly long _word;

    private Size(long word) => _word = word;

    /// <summary>The form in a program.</summary>
    public static Size OfExpression(int index) => new(index);

    /// <summary>The form that runs.</summary>
    public static Size Of(long value) => new(value);

    /// <summary>Of the form in a program: the expression's index.</summary>
    public long Expression => _word;

    /// <summary>Of the form that runs.</summary>
    public static implicit operator long(Size size) => size._word;
}
