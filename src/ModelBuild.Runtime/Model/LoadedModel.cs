using ModelBuild.Loading;

namespace ModelBuild;

/// <summary>
/// A model that is loaded and can run: which artifact, profile and backend, and the buffers of running calls. Generated classes hold one; generic
/// code may use it by name through <see cref="Run"/>. Safe to use from several threads; disposing waits for nobody: running calls finish, and
/// the last one releases the memory.
/// </summary>
public sealed partial class LoadedModel : IDisposable
{
    private readonly ModelDescription _description;
    private readonly ModelArtifact _artifact;
    private readonly ContextPool _pool;
    private readonly Lazy<string> _sha256;
    // What is left of verifying the artifact; null when that is done.
    private volatile Task? _verification;

    private LoadedModel(ModelDescription description, ModelArtifact artifact, ManifestArtifact? entry, ModelBackend backend, ModelOptions options)
    {
        _sha256 = new Lazy<string>(artifact.ComputeSha256);
        if (entry is not null && options.VerifyArtifact) _verification = ArtifactVerification.Start(artifact, _sha256, entry);
        ModelSession session = Open(artifact, description, backend, options);
        if (options.RequireFiniteInputs) session = new FiniteInputSession(session, description);
        var bound = options.MaxConcurrency > 0 ? options.MaxConcurrency : Environment.ProcessorCount * 2;
        _pool = new ContextPool(session, bound, artifact.Dispose);
        _description = description;
        _artifact = artifact;
        RecordedSha256 = entry?.Sha256;
        Technique = entry?.Technique;
        Backend = backend.Name;
        Threads = session.Threads;
        Info = new ModelInfo(description);
    }

    /// <summary>Loads the artifact that serves this CPU.</summary>
    /// <param name="description">What the generated class knows.</param>
    /// <param name="options">Settings, or null for the defaults.</param>
    /// <exception cref="ModelLoadException">An MDLB3xxx code says what is missing, damaged or does not fit, and what to do.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static LoadedModel Load(ModelDescription description, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(description);
        options = Checked(options);
        ArtifactStore store = ArtifactStore.Find(description, options);
        Manifest manifest = store.ReadManifest();
        if (!string.Equals(manifest.SignatureHash, description.SignatureHash, StringComparison.Ordinal))
            throw new ModelLoadException(RuntimeCodes.OtherClass,
                $"'{manifest.Origin}' belongs to another signature of the model than class {description.ClassName} was compiled from. Build the project "
                + $"again, and deploy the folder 'modelbuild' and the assembly {description.AssemblyName} together.");

        ArtifactSelection.Choice choice = ArtifactSelection.Choose(manifest, options, CpuFeatureDetection.Current, CpuFeatureDetection.Native,
            BackendRegistry.Find);
        if (choice.Fallback is { } fallback) options.OnFallback?.Invoke(fallback);
        ModelArtifact artifact = store.Open(choice.Artifact);
        try
        {
            return new LoadedModel(description, artifact, choice.Artifact, choice.Backend, options);
        }
        catch
        {
            artifact.Dispose();
            throw;
        }
    }

    /// <summary>Loads on another thread, so that a user interface stays responsive.</summary>
    /// <param name="description">What the generated class knows.</param>
    /// <param name="options">Settings, or null for the defaults.</param>
    /// <param name="cancellationToken">Cancels before loading starts.</param>
    /// <exception cref="ModelLoadException">As <see cref="Load"/>.</exception>
    public static ValueTask<LoadedModel> LoadAsync(ModelDescription description, ModelOptions? options = null, CancellationToken cancellationToken = default) =>
        new(Task.Run(() => Load(description, options), cancellationToken));

    /// <summary>Runs one opened artifact, whatever manifest it has: for tools. The model disposes it; if this throws, it is still the caller's.</summary>
    /// <param name="artifact">The artifact.</param>
    /// <param name="description">The signature that it must have.</param>
    /// <param name="backend">The backend that runs it.</param>
    /// <param name="options">Settings, or null for the defaults.</param>
    /// <exception cref="ModelLoadException">The backend refuses the artifact.</exception>
    public static LoadedModel FromArtifact(ModelArtifact artifact, ModelDescription description, ModelBackend backend, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(backend);
        return new LoadedModel(description, artifact, null, backend, Checked(options));
    }

    /// <summary>What the model declares.</summary>
    public ModelInfo Info { get; }

    /// <summary>The profile that runs.</summary>
    public string Profile => _artifact.Profile;

    /// <summary>The backend that runs it.</summary>
    public string Backend { get; }

    /// <summary>Threads that one call uses: on the managed backend <see cref="ModelOptions.Threads"/>, at most as many as there are processors; on ONNX Runtime
    /// what these or its own options say, 0 where it decides by itself.</summary>
    public int Threads { get; }

    /// <summary>How the model was compressed, as the manifest says; null without a manifest.</summary>
    public string? Technique { get; }

    /// <summary>The full path of the artifact, or null where it is a resource.</summary>
    public string? ArtifactPath => _artifact.Path;

    /// <summary>Where the artifact came from: the path, or the name of the resource.</summary>
    public string ArtifactOrigin => _artifact.Origin;

    /// <summary>Size of the artifact in bytes.</summary>
    public long ArtifactBytes => _artifact.Length;

    /// <summary>SHA-256 of the content that was opened, lower-case hexadecimal; computed on first use, which reads the whole artifact.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed before the first use.</exception>
    public string ArtifactSha256 => _sha256.Value;

    /// <summary>SHA-256 that the build recorded in the manifest; null without a manifest. Differs from <see cref="ArtifactSha256"/> if the artifact was changed
    /// after the build.</summary>
    public string? RecordedSha256 { get; }

    /// <summary>Takes a set of buffers for one call; waits where <see cref="ModelOptions.MaxConcurrency"/> are taken, and until the artifact is verified. Give
    /// it back with <see cref="Return"/>.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="ModelLoadException">MDLB3012: the artifact is another one than the build wrote.</exception>
    public ModelContext Rent()
    {
        if (_verification is not null) EndVerification();
        return _pool.Rent();
    }

    /// <summary>Gives a rented set of buffers back, once.</summary>
    /// <exception cref="InvalidOperationException">It was given back before, or comes from another model.</exception>
    public void Return(ModelContext context) => _pool.Return(context);

    /// <summary>Ends the use of the model. Running calls finish; the last one releases the memory.</summary>
    public void Dispose() => _pool.Dispose();

    // A damaged artifact may be refused by the backend before its hash is known, which says more.
    private ModelSession Open(ModelArtifact artifact, ModelDescription description, ModelBackend backend, ModelOptions options)
    {
        try
        {
            return backend.Open(artifact, description, options);
        }
        catch (ModelLoadException)
        {
            EndVerification();
            throw;
        }
    }

    private void EndVerification()
    {
        _verification?.GetAwaiter().GetResult();
        _verification = null;
    }

    private static ModelOptions Checked(ModelOptions? options)
    {
        options ??= new ModelOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1, "ModelOptions.Threads");
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxConcurrency, "ModelOptions.MaxConcurrency");
        return options;
    }
}
