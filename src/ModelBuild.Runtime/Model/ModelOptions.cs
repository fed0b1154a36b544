namespace ModelBuild;

/// <summary>How a generated class loads and runs its model. Every setting has a default that suits a first try.</summary>
public sealed class ModelOptions
{
    private Dictionary<Type, object>? _settings;

    /// <summary>The profile to run, such as <c>x64-avx2</c>, or null for the best one that this CPU and the registered backends admit. A named profile is taken
    /// or refused, never replaced.</summary>
    public string? Profile { get; set; }

    /// <summary>The backend to run on, <c>managed</c> or <c>onnxruntime</c>, or null for whichever the artifact was compiled for.</summary>
    public string? Backend { get; set; }

    /// <summary>
    /// Threads that one call may use, at least 1. ONNX Runtime uses as many. The managed backend shares out the large kernels of a call to helpers that all
    /// models of the process have in common, up to the number of processors, and only while no other call runs: several calls at once use several cores by
    /// themselves.
    /// Answers do not depend on it. <see cref="LoadedModel.Threads"/> tells what holds for a loaded model.
    /// </summary>
    public int Threads { get; set; } = 1;

    /// <summary>How many calls may run at the same time; further ones wait. Each holds its own buffers, so this bounds memory. 0 means twice the number of
    /// processors.</summary>
    public int MaxConcurrency { get; set; }

    /// <summary>
    /// Bytes that the activations of one call may take on the managed backend; 4 GB where nothing else is set. A program that asks for more is refused
    /// (MDLB3011) before memory is taken for it, so that a damaged or hostile artifact cannot exhaust the machine.
    /// </summary>
    public long MaxActivationBytes { get; set; } = 4L << 30;

    /// <summary>
    /// Whether the artifact is compared with the SHA-256 that the build recorded (MDLB3012 where it differs): once in a process for each file, while it is
    /// loaded, or, where it has more than 4 MB, at the same time; the first call then waits until that is done.
    /// </summary>
    public bool VerifyArtifact { get; set; } = true;

    /// <summary>
    /// Whether every call looks for NaN and infinity in its float inputs and throws an <see cref="ArgumentException"/> that names the input. Off unless set:
    /// integer arithmetic has neither, so that a compressed model may answer such inputs with finite numbers where the original would have answered NaN.
    /// </summary>
    public bool RequireFiniteInputs { get; set; }

    /// <summary>Called when another profile runs than the best one that this CPU admits.</summary>
    public Action<ModelFallback>? OnFallback { get; set; }

    /// <summary>The folder that holds <c>{Class}.json</c> and its artifacts, or null for <c>modelbuild/{Assembly}</c> beside the app.</summary>
    public string? Directory { get; set; }

    /// <summary>The variant that each kernel of the managed backend runs, by kernel and variant name; null for the best that this CPU has. For tests and
    /// benchmarks.</summary>
    internal IReadOnlyDictionary<string, string>? Variants { get; set; }

    /// <summary>Keeps a setting of a backend's own type; one of each type is kept.</summary>
    /// <param name="value">The setting.</param>
    /// <returns>These options, to chain calls.</returns>
    public ModelOptions Set<T>(T value) where T : class
    {
        ArgumentNullException.ThrowIfNull(value);
        (_settings ??= [])[typeof(T)] = value;
        return this;
    }

    /// <summary>The setting of a type that was <see cref="Set{T}">set</see>, or null.</summary>
    public T? Get<T>() where T : class => _settings is not null && _settings.TryGetValue(typeof(T), out var value) ? (T)value : null;
}
