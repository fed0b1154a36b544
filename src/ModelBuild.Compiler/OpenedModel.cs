using ModelBuild.Compiler.Inspection;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Loading;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler;

/// <summary>A model or artifact opened for running, evaluating or measuring, with its interface.</summary>
internal sealed class OpenedModel
{
    private OpenedModel(string path, string runnable, string backend, ModelDescription description, ModelInterface @interface)
    {
        Path = path;
        RunnablePath = runnable;
        Backend = backend;
        Description = description;
        Interface = @interface;
    }

    /// <summary>The file as it was named.</summary>
    public string Path { get; }

    /// <summary>The file that runs: as in a build, a classifier that ends in maps of labels gives its probabilities.</summary>
    public string RunnablePath { get; }

    public string Backend { get; }
    public ModelDescription Description { get; }
    public ModelInterface Interface { get; }

    /// <summary>Opens what a manifest has for a profile: the named one, whatever CPU this is, or the best one that this CPU runs.</summary>
    /// <exception cref="ModelLoadException">MDLB3002, MDLB3005, MDLB3008: the manifest is damaged, or has no such artifact.</exception>
    public static OpenedModel OpenManifest(string path, string? profile, string backend)
    {
        OnnxRuntimeBackend.Register();
        var options = new ModelOptions { Profile = profile, Backend = backend == "auto" ? null : backend };
        var cpu = profile is null ? CpuFeatureDetection.Current : (CpuFeatures)~0;
        var choice = ArtifactSelection.Choose(ManifestReader.Read(File.ReadAllBytes(path), path), options, cpu, cpu, BackendRegistry.Find);
        return Open(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, choice.Artifact.File));
    }

    /// <summary>Opens an .onnx file (ONNX Runtime) or a managed artifact.</summary>
    public static OpenedModel Open(string path, string backend = "auto")
    {
        if (!File.Exists(path))
            throw new OnnxException(OnnxErrors.FileNotReadable, $"'{path}' does not exist");
        var own = CompilerBackends.OfFile(path) ?? CompilerBackends.Reference;
        if (backend != "auto" && !CompilerBackends.Names.Contains(backend))
            throw new CompressionException(CompilerCodes.UnknownValue,
                $"--backend {backend}: there is no such backend{Suggestion.For(backend, CompilerBackends.Names.Prepend("auto"))}; there are auto, "
                + $"{string.Join(", ", CompilerBackends.Names)}", "Backend");
        if (backend != "auto" && backend != own.Name)
            throw new CompressionException(CompilerCodes.CommandNotForBackend,
                $"'{path}' is run by {own.Title} alone; compress it with -o OUT{CompilerBackends.Get(backend).Extension} for the other", "Backend");
        if (!own.RunsOriginals)
        {
            var description = ManagedInterface.Of(path);
            return new(path, path, own.Name, description, InterfaceOf(description));
        }
        var model = OnnxReader.Read(path);
        var runnable = path;
        if (MapOutputs.Replace(model))
            OnnxWriter.Write(model, runnable = System.IO.Path.Combine(WorkingFolder.CreateTemporary().FullName, "model.onnx"));
        // An artifact states whom it belongs to; a plain model does not.
        var signature = model.Metadata.FirstOrDefault(m => m.Key == ArtifactMetadata.SignatureKey).Value;
        var described = DescriptionBuilder.Of(model.Graph, signature is null ? null : Convert.FromHexString(signature));
        return new(path, runnable, own.Name, described, InterfaceOf(described));
    }

    /// <summary>The interface as data is fitted to it.</summary>
    private static ModelInterface InterfaceOf(ModelDescription description)
    {
        ModelPort Port(TensorInfo t) =>
            new(t.Name, t.Name, (ElementType)(int)t.ElementType, t.Dimensions.IsDefault ? []
            : [.. t.Dimensions.Select(d => d.Size >= 0 ? d.Size : (long?)null)]);
        return new([.. description.Inputs.Select(Port)], [.. description.Outputs.Select(Port)]);
    }

    /// <summary>A runner on named tensors, with exact integer sums.</summary>
    public IModelRunner Runner(int threads) => CompilerBackends.Get(Backend).Open(RunnablePath, () => Description, threads);

    /// <summary>The model, loaded by the code that an app loads it with.</summary>
    public LoadedModel Load(int threads)
    {
        OnnxRuntimeBackend.Register();
        return LoadedModel.FromArtifact(ModelArtifact.FromFile(RunnablePath, ""), Description, BackendRegistry.Find(Backend)!, new() { Threads = threads });
    }

    /// <summary>The samples of data files for this model.</summary>
    public Dataset Data(IReadOnlyList<string> paths, string option) =>
        DataLoader.Open([.. paths.Select(System.IO.Path.GetFullPath)], Interface, new(), option)
        ?? throw new CompressionException(CompilerCodes.DataMissing, $"{option} is missing", option);
}
