using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>What the tasks have in common: the project, its items, and where files of the build go.</summary>
public abstract class ModelTask : Microsoft.Build.Utilities.Task
{
    /// <summary>The OnnxModel items.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The HardwareProfile items.</summary>
    public ITaskItem[] HardwareProfiles { get; set; } = [];

    /// <summary>The full path of the project file.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    /// <summary>The name of the project's assembly.</summary>
    [Required]
    public string AssemblyName { get; set; } = "";

    /// <summary>The project's RootNamespace.</summary>
    public string RootNamespace { get; set; } = "";

    /// <summary>The project's RuntimeIdentifier, where it has one.</summary>
    public string RuntimeIdentifier { get; set; } = "";

    /// <summary>The RuntimeIdentifier of the SDK.</summary>
    public string SdkRuntimeIdentifier { get; set; } = "";

    /// <summary>The full path of the folder that has a page for each diagnostic; empty for no help links.</summary>
    public string HelpDirectory { get; set; } = "";

    /// <summary>The full path of the folder for intermediate files.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <summary>Whether what ships is written into a lock file beside each model.</summary>
    public bool LockFile { get; set; }

    /// <summary>Whether nothing is chosen and the lock files are applied.</summary>
    public bool LockedMode { get; set; }

    private protected ItemLog ItemLog => new(Log, ProjectFile, HelpDirectory);

    private protected ProjectContext Project => new(ProjectFile, RootNamespace, RuntimeIdentifier, SdkRuntimeIdentifier) { LockedMode = LockedMode };

    private protected string SignaturePath(ModelItem model) => Path.Combine(IntermediateDirectory, model.ClassName + ".signature.json");

    private protected string JournalPath(ModelItem model) => Path.Combine(IntermediateDirectory, model.ClassName + ".journal");

    private protected string OutputDirectory(ModelItem model) => Path.Combine(IntermediateDirectory, "out", model.ClassName);

    /// <summary>A lock file that this build has to write and that is not there; null where there is none.</summary>
    private protected string? MissingLockFile => !LockFile || LockedMode ? null
        : Models.Select(item => LockFileName.Of(Project.FullPath(item.ItemSpec))).FirstOrDefault(path => !File.Exists(path));

    /// <summary>Where the record of the last compilation lies.</summary>
    private protected string RecordPath => Path.Combine(IntermediateDirectory, "artifacts.txt");

    /// <summary>Reads the HardwareProfile items; logs an error for each that is wrong.</summary>
    private protected HardwareProfiles ReadHardwareProfiles()
    {
        var profiles = new HardwareProfiles();
        foreach (var item in HardwareProfiles)
            Try(item, () => profiles.Add(item));
        return profiles;
    }

    /// <summary>Reads the OnnxModel items; logs an error for each that is wrong and leaves it out.</summary>
    private protected List<ModelItem> ReadModels(HardwareProfiles profiles)
    {
        var reader = new ModelItemReader(Project, profiles);
        var models = new List<ModelItem>();
        var included = new HashSet<string>(Models.Where(item => !KnownMetadata.IsDefaultItem(item)).Select(item => Project.FullPath(item.ItemSpec)),
            StringComparer.Ordinal);
        foreach (var item in Models.Where(item => !KnownMetadata.IsDefaultItem(item) || !included.Contains(Project.FullPath(item.ItemSpec))))
            Try(item, () =>
            {
                var model = reader.Read(item);
                if (models.Find(other => other.Path == model.Path && other.ClassName == model.ClassName) is not null)
                    throw new DiagnosticException(Codes.ClassNameTaken,
                        $"\"{item.ItemSpec}\" is listed twice. Remove one of the two items, or, to compile the model in two ways, give one of them a name "
                        + $"of its own: ClassName=\"...\".", "ClassName");
                // Files are named by class, and two that differ by case only are one file on some systems.
                if (models.Find(other => UniqueNames.Fold(other.ClassName) == UniqueNames.Fold(model.ClassName)) is { } twin)
                    throw new DiagnosticException(Codes.ClassNameTaken,
                        $"\"{item.ItemSpec}\" and \"{twin.Item.ItemSpec}\" both make a class {model.ClassName}. Give one of them another name: "
                        + $"ClassName=\"...\".", "ClassName");
                models.Add(model);
            });
        return models;
    }

    /// <summary>Runs an action; what is wrong with the item becomes an error at its line.</summary>
    private protected bool Try(ITaskItem item, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (DiagnosticException e)
        {
            ItemLog.Error(item, e.Code, e.Message, e.Metadata);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ItemLog.Error(item, Codes.ModelUnreadable, $"{item.ItemSpec}: {e.Message}");
        }
        return false;
    }
}
