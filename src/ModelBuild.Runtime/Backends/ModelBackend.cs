namespace ModelBuild;

/// <summary>What runs artifacts: the managed kernels, or ONNX Runtime where the app references it. Backends register themselves with
/// <see cref="BackendRegistry"/>.</summary>
public abstract class ModelBackend
{
    /// <summary>The name that manifests and options use: <c>managed</c> or <c>onnxruntime</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether it runs native code, which finds out about the CPU by itself: then artifacts are chosen by what the CPU has, and not by what the app
    /// was compiled for.</summary>
    public virtual bool IsNative => false;

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
    /// <summary>Threads that one call uses; 0 where the backend decides by itself.</summary>
    public virtual int Threads => 1;

    /// <summary>A new set of buffers for one call at a time.</summary>
    public abstract ModelContext CreateContext();

    /// <inheritdoc/>
    public abstract void Dispose();
}
