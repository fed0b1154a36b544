using System.Diagnostics.CodeAnalysis;

namespace ModelBuild.Loading;

/// <summary>Where the manifest and the artifacts of one model lie: a folder, or the resources of an assembly.</summary>
internal sealed class ArtifactStore
{
    private readonly ModelDescription _description;
    private readonly string? _folder;

    private ArtifactStore(ModelDescription description, string? folder) => (_description, _folder) = (description, folder);

    /// <summary>Finds the manifest.</summary>
    /// <exception cref="ModelLoadException">MDLB3001: there is none.</exception>
    public static ArtifactStore Find(ModelDescription description, ModelOptions options)
    {
        if (description.EmbeddedIn is not null && options.Directory is null) return new ArtifactStore(description, null);
        List<string> tried = [];
        foreach (var folder in Folders(description, options))
        {
            var manifest = Path.Combine(folder, description.ClassName + ".json");
            if (File.Exists(manifest)) return new ArtifactStore(description, folder);
            tried.Add(manifest);
        }
        throw new ModelLoadException(RuntimeCodes.ModelNotFound,
            $"the model of class {description.ClassName} was not found: no file '{string.Join("' or '", tried)}'. " +
            "Build the project, and deploy the folder 'modelbuild' with the app (or set Embed=\"true\" on the OnnxModel item).");
    }

    public Manifest ReadManifest()
    {
        var name = _description.ClassName + ".json";
        if (_folder is null)
        {
            using Stream stream = Resource(name);
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            return ManifestReader.Read(content, ResourceName(name));
        }
        var path = Path.Combine(_folder, name);
        try
        {
            return ManifestReader.Read(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException(RuntimeCodes.ModelNotFound, $"the manifest '{path}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Opens an artifact and checks its size.</summary>
    public ModelArtifact Open(ManifestArtifact entry)
    {
        if (entry.Data is { } data) CheckData(data.File, data.Bytes);
        ModelArtifact artifact = _folder is null
            ? ModelArtifact.FromResource(_description.EmbeddedIn!, ResourceName(entry.File), entry.Profile, () => Resource(entry.File))
            : ModelArtifact.FromFile(Path.Combine(_folder, entry.File), entry.Profile);
        if (artifact.Length == entry.Bytes) return artifact;
        artifact.Dispose();
        throw new ModelLoadException(RuntimeCodes.ArtifactDamaged,
            $"the artifact '{artifact.Origin}' has {artifact.Length} bytes, its manifest says {entry.Bytes}: it is truncated or of another build. " +
            "Build the project again, and deploy the folder 'modelbuild' as a whole.");
    }

    /// <summary>Weights beside an artifact are read by the backend, by name; here it is only seen that they are there.</summary>
    private void CheckData(string name, long bytes)
    {
        if (_folder is null) throw new ModelLoadException(RuntimeCodes.ArtifactDamaged,
            $"the model of class {_description.ClassName} has more than 2 GB and cannot be embedded. Build its project without Embed.");
        FileInfo file = new(Path.Combine(_folder, name));
        if (!file.Exists || file.Length != bytes)
            throw new ModelLoadException(RuntimeCodes.ArtifactDamaged,
                $"the weights '{file.FullName}' {(file.Exists ? $"have {file.Length} bytes, their manifest says {bytes}" : "are missing")}. Build the "
                + $"project again, and deploy the folder 'modelbuild' as a whole.");
    }

    private string ResourceName(string file) => $"modelbuild/{_description.AssemblyName}/{file}";

    private Stream Resource(string file) => _description.EmbeddedIn!.GetManifestResourceStream(ResourceName(file))
        ?? throw new ModelLoadException(RuntimeCodes.ModelNotFound,
            $"the assembly {_description.EmbeddedIn.GetName().Name} has no resource '{ResourceName(file)}'. Build its project again.");

    [UnconditionalSuppressMessage("SingleFile", "IL3000",
        Justification = "Location is empty in a single-file app, whose artifacts lie beside the app, where the first folder looks.")]
    private static IEnumerable<string> Folders(ModelDescription description, ModelOptions options)
    {
        if (options.Directory is not null)
        {
            yield return options.Directory;
            yield break;
        }
        yield return Path.Combine(AppContext.BaseDirectory, "modelbuild", description.AssemblyName);
        // A plug-in lies elsewhere than the app that loads it.
        foreach (System.Reflection.Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            if (assembly.IsDynamic || assembly.GetName().Name != description.AssemblyName || assembly.Location.Length == 0) continue;
            var folder = Path.Combine(Path.GetDirectoryName(assembly.Location)!, "modelbuild", description.AssemblyName);
            if (folder != Path.Combine(AppContext.BaseDirectory, "modelbuild", description.AssemblyName)) yield return folder;
        }
    }
}
