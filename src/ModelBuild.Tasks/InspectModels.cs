using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>
/// Checks the OnnxModel items and writes each model's signature.json for the generator, and the list of all that the compiler's outcome depends on.
/// Reads no weights and hashes nothing (but files whose hash the item states), so that it runs in every build and at design time.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class InspectModels : ModelTask
{
    /// <summary>Properties that the compiler's outcome depends on besides the items, as <c>Name=Value</c>.</summary>
    public string[] CompilerOptions { get; set; } = [];

    /// <summary>The full path of the compiler's assembly.</summary>
    [Required]
    public string Compiler { get; set; } = "";

    /// <summary>Where the list of inputs is written; nowhere at design time.</summary>
    public string InputListFile { get; set; } = "";

    /// <summary>The list of artifacts that the last compilation wrote and that stay files.</summary>
    public string FileListFile { get; set; } = "";

    /// <summary>The list of artifacts that become resources.</summary>
    public string ResourceListFile { get; set; } = "";

    /// <summary>The folders that the build copies the artifacts to. What is damaged there is deleted, so that it is copied again.</summary>
    public string[] CopyDirectories { get; set; } = [];

    /// <summary>Names an artifact that is missing or damaged by a path that does not exist, so that, as an output of the compilation, it makes the models
    /// compile again; empty where all are well.</summary>
    [Output]
    public string DamagedArtifact { get; private set; } = "";

    /// <summary>The signature.json files.</summary>
    [Output]
    public ITaskItem[] Signatures { get; private set; } = [];

    /// <summary>Files, apart from the models, that the models are made from: data, labels, external weights.</summary>
    [Output]
    public ITaskItem[] Inputs { get; private set; } = [];

    /// <summary>The instruction set that a natively compiled app may take for granted, as the native compiler names it; empty where there is none.</summary>
    [Output]
    public string NativeInstructionSet { get; private set; } = "";

    /// <summary>The files that this build has from this task, for cleaning.</summary>
    [Output]
    public ITaskItem[] Written { get; private set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        var profiles = ReadHardwareProfiles();
        var models = ReadModels(profiles);
        var list = new InputList();
        list.AddFiles(Compiler);
        foreach (var option in CompilerOptions)
            list.Add("option", option);
        var signatures = new List<ITaskItem>();
        var inputs = new List<string>();
        foreach (var model in models)
            Try(model.Item, () =>
            {
                foreach (var warning in ModelItemReader.MisspeltMetadata(model.Item))
                    ItemLog.Warning(model.Item, Codes.UnknownMetadata, warning);
                var declared = OnnxInterfaceReader.Read(model.Path);
                var signature = SignatureJson.Write(SignatureFactory.Create(model, declared, Project, AssemblyName));
                CheckHash(model);
                Files.WriteIfChanged(SignaturePath(model), signature);
                signatures.Add(new TaskItem(SignaturePath(model)));
                // By content: builds that run side by side may both write the file.
                list.Add("signature", FileStamp.HashOfText(signature));
                inputs.AddRange(AddInputs(list, model, declared, profiles));
            });
        if (InputListFile.Length > 0 && !Log.HasLoggedErrors)
            Files.WriteIfChanged(InputListFile, list.ToString());
        if (InputListFile.Length > 0)
            CheckArtifacts();
        NativeInstructionSet = ProfileDefaults.NativeInstructionSet(models.SelectMany(model => model.Profiles), profiles.BasedOn);
        Signatures = [.. signatures];
        Written = [.. signatures, .. models.Where(model => model.Sha256 is not null).Select(model => new TaskItem(HashPath(model))),
            .. InputListFile.Length > 0 ? [new TaskItem(InputListFile)] : Array.Empty<ITaskItem>()];
        Inputs = [.. inputs.Distinct(StringComparer.Ordinal).Select(path => new TaskItem(path))];
        return !Log.HasLoggedErrors;
    }

    private void CheckArtifacts()
    {
        if (ArtifactRecord.Read(RecordPath) is not { } record)
            return;
        // What was deleted is written again.
        if (MissingLockFile is { } missing)
        {
            DamagedArtifact = missing;
            return;
        }
        var files = Lines(FileListFile);
        if (files.Concat(Lines(ResourceListFile)).FirstOrDefault(artifact => !record.IsIntact(artifact)) is { } damaged)
        {
            DamagedArtifact = damaged + " (damaged)";
            return;
        }
        foreach (var folder in CopyDirectories.Where(Directory.Exists))
            foreach (var artifact in files)
                if (Path.Combine(folder, Path.GetFileName(artifact)) is var copy && File.Exists(copy) && !record.IsIntactCopy(copy, artifact))
                    File.Delete(copy);
        record.Save();
    }

    private static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];

    // Returns the files apart from the model itself.
    private IEnumerable<string> AddInputs(InputList list, ModelItem model, OnnxInterface declared, HardwareProfiles profiles)
    {
        list.Add("class", model.ClassName);
        list.AddFiles(model.Path);
        foreach (var option in model.Options)
            list.Add(option.Key, option.Value);
        foreach (var profile in model.Profiles)
            if (profiles.Find(profile) is { } fields)
                foreach (var field in fields.OrderBy(field => field.Key, StringComparer.Ordinal))
                    list.Add($"{profile}.{field.Key}", field.Value);
        var folder = Path.GetDirectoryName(model.Path)!;
        List<string> files = [.. declared.ExternalFiles.Select(file => Path.GetFullPath(Path.Combine(folder, file)))];
        if (files.Find(file => !File.Exists(file)) is { } missing)
            throw new DiagnosticException(Codes.ExternalData,
                $"\"{model.Path}\" keeps weights in \"{missing}\", which does not exist. Put the file beside the model.");
        foreach (var data in model.Data)
        {
            list.Add("data", data.Key);
            files.AddRange(data.Value);
        }
        if (LockedMode)
        {
            files.Add(LockFileName.Of(model.Path));
            // Few plans have such: it is listed for when it comes, and is no input before.
            list.AddFiles(LockFileName.TensorsOf(model.Path));
            if (File.Exists(LockFileName.TensorsOf(model.Path)))
                files.Add(LockFileName.TensorsOf(model.Path));
        }
        foreach (var file in files)
            list.AddFiles(file);
        return files.SelectMany(DataFiles.Files);
    }

    private string HashPath(ModelItem model) => Path.Combine(IntermediateDirectory, model.ClassName + ".sha256");

    private void CheckHash(ModelItem model)
    {
        if (model.Sha256 is null)
            return;
        // The hash that was computed stands beside the stamp of the file that it belongs to, so that a build that changes nothing hashes nothing.
        var stampFile = HashPath(model);
        var stamp = $"{FileStamp.Of(model.Path)} {model.Path}";
        var known = Lines(stampFile);
        string actual;
        if (known.Length == 2 && known[0] == stamp)
            actual = known[1];
        else
        {
            actual = FileStamp.Hash(model.Path);
            Files.Write(stampFile, $"{stamp}\n{actual}\n");
        }
        if (actual != model.Sha256)
            throw new DiagnosticException(Codes.WrongHash,
                $"\"{model.Path}\" is another file than the item states: its SHA-256 is {actual}. Fetch the right file, or change Sha256.", "Sha256");
    }
}
