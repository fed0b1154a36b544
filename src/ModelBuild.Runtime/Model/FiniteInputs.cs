namespace ModelBuild;

/// <summary>A session whose contexts refuse to run on NaN and infinity (<see cref="ModelOptions.RequireFiniteInputs"/>).</summary>
internal sealed class FiniteInputSession(ModelSession inner, ModelDescription description) : ModelSession
{
    public override int Threads => inner.Threads;

    public override ModelContext CreateContext() => new FiniteInputContext(inner.CreateContext(), description);

    public override void Dispose() => inner.Dispose();
}

/// <summary>A context that looks at its float inputs before it runs.</summary>
internal sealed class FiniteInputContext(ModelContext inner, ModelDescription description) : ModelContext(description)
{
    public override void Prepare(params ReadOnlySpan<long> symbols) => inner.Prepare(symbols);

    public override void SetStrings(int index, ReadOnlySpan<string> values) => inner.SetStrings(index, values);

    public override void Run()
    {
        for (var i = 0; i < Description.Inputs.Length; i++)
        {
            var position = Description.Inputs[i].ElementType switch
            {
                ModelElementType.Float => inner.Input<float>(i).IndexOfAnyNotFinite(),
                ModelElementType.Double => inner.Input<double>(i).IndexOfAnyNotFinite(),
                ModelElementType.Float16 => inner.Input<Half>(i).IndexOfAnyNotFinite(),
                _ => -1,
            };
            if (position >= 0)
                throw new ArgumentException($"input '{Description.Inputs[i].Name}' holds NaN or infinity at position {position}; "
                    + $"{nameof(ModelOptions)}.{nameof(ModelOptions.RequireFiniteInputs)} refuses that");
        }
        inner.Run();
    }

    public override string[] OutputStrings(int index) => inner.OutputStrings(index);

    public override ReadOnlySpan<long> OutputShape(int index) => inner.OutputShape(index);

    protected override Span<byte> InputBytes(int index) => inner.InputMemory(index);

    protected override ReadOnlySpan<byte> OutputBytes(int index) => inner.OutputMemory(index);

    public override void Dispose() => inner.Dispose();
}

/// <summary>Looks for numbers that are none.</summary>
internal static class FiniteNumbers
{
    /// <summary>The first position that holds NaN or infinity, or -1.</summary>
    public static int IndexOfAnyNotFinite<T>(this Span<T> values) where T : System.Numerics.INumberBase<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!T.IsFinite(values[i])) return i;
        }
        return -1;
    }
}
