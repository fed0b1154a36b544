namespace ModelBuild;

/// <summary>What runs artifacts: the managed kernels, or ONNX Runtime where the app references it. Backends register themselves with <see cref="BackendRegistry"/>.</summary>
public abstract class ModelBackend
{
    /// <summary>The name that manifests and options use: <c>managed</c> or <c>onnxruntime</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Opens an artifact.</summary>
    /// <param name="artifact">The artifact's content and where it came from.</param>
    /// <param name="description">The class that it must belong to.</param>
    /// <param name="options">The caller's options.</param>
    /// <exception cref="ModelLoadException">The artifact is damaged, of a newer format, or belongs to another signature.</exception>
    public abstract ModelSession Open(ModelArtifact artifact, ModelDescription description, ModelOptions options);
}

/// <summary>An opened artifact: the weights, shared by all contexts. Thread safe.</summary>
public abstract class ModelSession : IDisposable
{
    /// <summary>A new set of buffers for one call at a time.</summary>
    public abstract ModelContext CreateContext();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>
/// The buffers of one running call. Not thread safe: <see cref="LoadedModel.Rent"/> hands each to one caller at a time.
/// The order of use is <see cref="Prepare"/>, write the inputs, <see cref="Run"/>, read the outputs.
/// </summary>
public abstract class ModelContext : IDisposable
{
    /// <summary>Binds the named dimensions for the next run, in the order of <see cref="ModelDescription.Symbols"/>. Allocates only when the sizes differ from those of recent runs.</summary>
    /// <exception cref="ArgumentException">A size is negative or breaks a constraint of the model.</exception>
    public abstract void Prepare(params ReadOnlySpan<long> symbols);

    /// <summary>The memory of an input, exactly as long as its shape asks under the bound dimensions. Valid until the next <see cref="Prepare"/>.</summary>
    public abstract Span<T> Input<T>(int index) where T : unmanaged;

    /// <summary>Sets an input of strings.</summary>
    /// <exception cref="NotSupportedException">The backend has no strings.</exception>
    public virtual void SetStrings(int index, ReadOnlySpan<string> values) => throw new NotSupportedException("this backend runs no string tensors");

    /// <summary>Runs the model on the inputs.</summary>
    public abstract void Run();

    /// <summary>The elements of an output. Valid until the next <see cref="Prepare"/> or <see cref="Run"/>.</summary>
    public abstract ReadOnlySpan<T> Output<T>(int index) where T : unmanaged;

    /// <summary>The strings of an output of strings.</summary>
    public virtual string[] OutputStrings(int index) => throw new NotSupportedException("this backend runs no string tensors");

    /// <summary>The shape of an output. Valid until the next <see cref="Prepare"/> or <see cref="Run"/>.</summary>
    public abstract ReadOnlySpan<long> OutputShape(int index);

    /// <inheritdoc/>
    public abstract void Dispose();
}
