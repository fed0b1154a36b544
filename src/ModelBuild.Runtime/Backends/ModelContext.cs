using System.Runtime.InteropServices;

namespace ModelBuild;

/// <summary>
/// The buffers of one running call. Not thread safe: <see cref="LoadedModel.Rent"/> hands each to one caller at a time.
/// The order of use is <see cref="Prepare"/>, write the inputs, <see cref="Run"/>, read the outputs.
/// </summary>
public abstract class ModelContext : IDisposable
{
    private readonly ModelElementType[] _inputs;
    private readonly ModelElementType[] _outputs;

    /// <summary>A context for a described model.</summary>
    /// <param name="description">Gives the element types that <see cref="Input{T}"/> and <see cref="Output{T}"/> check.</param>
    protected ModelContext(ModelDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        Description = description;
        _inputs = [.. description.Inputs.Select(i => i.ElementType)];
        _outputs = [.. description.Outputs.Select(o => o.ElementType)];
    }

    // The pool that lent this context; null while it is not lent.
    internal ContextPool? Lender;

    /// <summary>The described model.</summary>
    protected ModelDescription Description { get; }

    /// <summary>Binds the named dimensions for the next run, in the order of <see cref="ModelDescription.Symbols"/>. Allocates only when the sizes differ from
    /// those of recent runs.</summary>
    /// <exception cref="ArgumentException">A size is negative or breaks a constraint of the model.</exception>
    public abstract void Prepare(params ReadOnlySpan<long> symbols);

    /// <summary>The memory of an input, exactly as long as its shape asks under the bound dimensions. Valid until the next <see cref="Prepare"/>.</summary>
    /// <exception cref="InvalidOperationException">The input has another element type, or no dimensions are bound.</exception>
    public Span<T> Input<T>(int index) where T : unmanaged
    {
        if (_inputs[index] != ModelElementTypes.Of<T>()) ModelErrors.ThrowElementType(Description.Inputs[index].Name, _inputs[index], typeof(T));
        return MemoryMarshal.Cast<byte, T>(InputBytes(index));
    }

    /// <summary>Sets an input of strings.</summary>
    /// <exception cref="NotSupportedException">The backend has no strings.</exception>
    public virtual void SetStrings(int index, ReadOnlySpan<string> values) => throw new NotSupportedException("this backend runs no string tensors");

    /// <summary>Runs the model on the inputs.</summary>
    public abstract void Run();

    /// <summary>The elements of an output. Valid until the next <see cref="Prepare"/> or <see cref="Run"/>.</summary>
    /// <exception cref="InvalidOperationException">The output has another element type, or no dimensions are bound.</exception>
    public ReadOnlySpan<T> Output<T>(int index) where T : unmanaged
    {
        if (_outputs[index] != ModelElementTypes.Of<T>()) ModelErrors.ThrowElementType(Description.Outputs[index].Name, _outputs[index], typeof(T));
        return MemoryMarshal.Cast<byte, T>(OutputBytes(index));
    }

    /// <summary>The strings of an output of strings.</summary>
    /// <exception cref="NotSupportedException">The backend has no strings.</exception>
    public virtual string[] OutputStrings(int index) => throw new NotSupportedException("this backend runs no string tensors");

    /// <summary>The shape of an output. Valid until the next <see cref="Prepare"/> or <see cref="Run"/>.</summary>
    public abstract ReadOnlySpan<long> OutputShape(int index);

    /// <summary>The memory of an input, whatever its type. Not generic, because calls of generic virtual methods are slow.</summary>
    protected abstract Span<byte> InputBytes(int index);

    /// <summary>The memory of an output, whatever its type.</summary>
    protected abstract ReadOnlySpan<byte> OutputBytes(int index);

    internal Span<byte> InputMemory(int index) => InputBytes(index);

    internal ReadOnlySpan<byte> OutputMemory(int index) => OutputBytes(index);

    /// <inheritdoc/>
    public abstract void Dispose();
}
