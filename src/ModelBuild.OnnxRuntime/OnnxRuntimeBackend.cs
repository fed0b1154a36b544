using Microsoft.ML.OnnxRuntime;

namespace ModelBuild;

/// <summary>The backend <c>onnxruntime</c>: runs compressed <c>.onnx</c> files on ONNX Runtime, on one thread without spinning unless the options say
/// otherwise.</summary>
public sealed class OnnxRuntimeBackend : ModelBackend
{
    /// <summary>The name that manifests use.</summary>
    public const string BackendName = "onnxruntime";

    // Written into the artifact's metadata by the compiler.
    private const string SignatureKey = "modelbuild.signature";

    private OnnxRuntimeBackend()
    {
    }

    /// <summary>The backend. It holds no state: every model has its own session.</summary>
    public static OnnxRuntimeBackend Instance { get; } = new();

    /// <summary>Makes the backend known to <see cref="BackendRegistry"/>. Generated code calls this; calling it again does nothing.</summary>
    public static void Register() => BackendRegistry.Register(Instance);

    /// <inheritdoc/>
    public override string Name => BackendName;

    /// <inheritdoc/>
    public override bool IsNative => true;

    /// <inheritdoc/>
    public override ModelSession Open(ModelArtifact artifact, ModelDescription description, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(options);
        var session = Create(artifact, options, out var threads);
        try
        {
            CheckSignature(session, artifact, description);
            return new OnnxRuntimeSession(session, threads, description);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private static InferenceSession Create(ModelArtifact artifact, ModelOptions options, out int threads)
    {
        try
        {
            using SessionOptions settings = new()
            {
                IntraOpNumThreads = options.Threads,
                InterOpNumThreads = 1,
                ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };
            // Spinning threads take the cores that the rest of the app needs.
            settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            // A model beyond 2 GB keeps its weights in a file beside it.
            if (artifact.Path is { } path) settings.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", Path.GetDirectoryName(path)!);
            options.Get<OnnxRuntimeConfiguration>()?.Apply(settings);
            threads = settings.IntraOpNumThreads;
            return new InferenceSession(artifact.ReadAll(), settings);
        }
        catch (Exception e) when (IsNativeLibraryUnusable(e))
        {
            throw new ModelLoadException(OnnxRuntimeCodes.NativeLibraryMissing,
                $"'{artifact.Origin}' runs on ONNX Runtime, whose native library is missing, or older than its managed part, which is of version "
                + $"{ManagedVersion}. Run 'dotnet add package Microsoft.ML.OnnxRuntime --version {ManagedVersion}' in the app (or a package for its GPU of "
                + $"that version or a later one).", e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelLoadException(OnnxRuntimeCodes.ArtifactRefused, $"ONNX Runtime refuses '{artifact.Origin}': {e.Message}", e);
        }
    }

    // The first call into the native library happens in static constructors. An older library gives them no table of functions, and whatever they then run into
    // comes wrapped.
    private static bool IsNativeLibraryUnusable(Exception e) => e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException
        or TypeInitializationException;

    private static string ManagedVersion => typeof(InferenceSession).Assembly.GetName().Version?.ToString(3) ?? "1.31";

    private static void CheckSignature(InferenceSession session, ModelArtifact artifact, ModelDescription description)
    {
        var belongs = session.ModelMetadata.CustomMetadataMap.TryGetValue(SignatureKey, out var hash)
            ? hash == description.SignatureHash
            : session.InputNames.SequenceEqual(description.Inputs.Select(i => i.Name))
                && description.Outputs.All(o => session.OutputMetadata.ContainsKey(o.Name));
        if (!belongs)
            throw new ModelLoadException(OnnxRuntimeCodes.OtherClass,
                $"'{artifact.Origin}' belongs to another signature of the model than class {description.ClassName} was compiled from. Build the project "
                + $"again, and deploy the folder 'modelbuild' and the assembly {description.AssemblyName} together.");
    }
}
