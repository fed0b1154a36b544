using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>
/// Compiles all models of a project in one process of the compiler, and says what it says at the lines of the items. Where that process dies, each
/// model that was not finished gets a process of its own, so that a crash costs one model.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class CompileModels : ModelTask, ICancelableTask
{
    private const string OutOfMemoryAdvice =
        "Fix smaller sizes with Shapes, give less or smaller data, build with fewer projects at once (-m:1), or turn compression off for this item: "
        + "Technique=\"none\".";

    // 128 and SIGKILL, as shells and .NET count.
    private const int KilledForMemory = 137;

    private readonly Dictionary<string, CompilerReply.Result> _results = new(StringComparer.Ordinal);
    private readonly HashSet<string> _failed = new(StringComparer.Ordinal);
    private readonly object _gate = new();
    private CompilerProcess? _process;
    private bool _cancelled;

    /// <summary>The full path of the dotnet command.</summary>
    [Required]
    public string Host { get; set; } = "";

    /// <summary>The full path of the compiler's assembly.</summary>
    [Required]
    public string Compiler { get; set; } = "";

    /// <summary>The folder of the cache.</summary>
    [Required]
    public string Cache { get; set; } = "";

    /// <summary>The size in bytes that the cache is kept below.</summary>
    public long CacheLimit { get; set; }

    /// <summary>Whether the project references ModelBuild.OnnxRuntime.</summary>
    public bool OnnxRuntime { get; set; }

    /// <summary>Whether the project is an executable, which must have every backend that its models need.</summary>
    public bool Executable { get; set; }

    /// <summary>The list of inputs that the inspection wrote.</summary>
    [Required]
    public string InputListFile { get; set; } = "";

    /// <summary>Whether what is chosen for latency is timed against the original on this machine.</summary>
    public bool Measure { get; set; } = true;

    /// <summary>Where the artifacts that stay files are listed, one full path a line, when every model has its own.</summary>
    [Required]
    public string FileListFile { get; set; } = "";

    /// <summary>Where the artifacts that become resources are listed.</summary>
    [Required]
    public string ResourceListFile { get; set; } = "";

    /// <summary>Whether other builds of the project wait until <see cref="ReleaseProject"/> runs.</summary>
    [Output]
    public bool KeepsProject { get; private set; }

    /// <inheritdoc/>
    public override bool Execute()
    {
        try
        {
            if (WaitForOthers() is not { } held)
                return true;
            var succeeded = false;
            try
            {
                return succeeded = IsCompiled() ? MarkCompiled() : CompileAll();
            }
            finally
            {
                if (succeeded)
                    KeepsProject = ProjectLock.Keep(held, BuildEngine, IntermediateDirectory);
                else
                    held.Dispose();
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    // The project's lock; or nothing, where another build compiled the same and is slow to finish: then there is nothing left to do here.
    private IDisposable? WaitForOthers()
    {
        var held = ProjectLock.TryTake(IntermediateDirectory);
        if (held is not null)
            return held;
        Log.LogMessage(MessageImportance.High, "Another build compiles the models of this project; waiting for it.");
        var compiled = new Stopwatch();
        ProjectLock.WaitUntil(() =>
        {
            if (_cancelled || (held = ProjectLock.TryTake(IntermediateDirectory)) is not null)
                return true;
            if (IsCompiled())
                compiled.Start();
            else
                compiled.Reset();
            return compiled.Elapsed > ProjectLock.Patience;
        }, BuildEngine);
        if (!_cancelled)
            return held;
        held?.Dispose();
        throw new OperationCanceledException();
    }

    // Whether another build compiled the same while this one waited.
    private bool IsCompiled()
    {
        string[] lists = [FileListFile, ResourceListFile];
        try
        {
            if (MissingLockFile is not null || !lists.All(File.Exists) || ArtifactRecord.Read(RecordPath) is not { } record
                || !record.Serves(File.ReadAllText(InputListFile))
                || !lists.SelectMany(File.ReadAllLines).All(record.IsIntact))
                return false;
            record.Save();
            return true;
        }
        catch (IOException)
        {
            // The other build has not finished.
            return false;
        }
    }

    // MSBuild goes by the time of the lists.
    private bool MarkCompiled()
    {
        foreach (var list in new[] { FileListFile, ResourceListFile })
            File.SetLastWriteTimeUtc(list, DateTime.UtcNow);
        return true;
    }

    private bool CompileAll()
    {
        var inputs = File.ReadAllText(InputListFile);
        var succeeded = false;
        try
        {
            succeeded = CompileAll(inputs);
            return succeeded;
        }
        finally
        {
            // A failed build leaves nothing that could pass for up to date. A killed one leaves lists that are older than its list of inputs.
            if (!succeeded)
                foreach (var file in new[] { FileListFile, ResourceListFile, RecordPath })
                    File.Delete(file);
        }
    }

    private bool CompileAll(string inputs)
    {
        var profiles = ReadHardwareProfiles();
        var models = ReadModels(profiles);
        if (Log.HasLoggedErrors)
            return false;
        var cores = RequestCores();
        try
        {
            var request = new CompileRequest
            {
                ProjectFile = ProjectFile,
                AssemblyName = AssemblyName,
                Cache = Cache,
                CacheLimit = CacheLimit,
                Cores = cores.Count,
                OnnxRuntime = OnnxRuntime,
                Executable = Executable,
                Measure = Measure,
                LockFile = LockFile,
                LockedMode = LockedMode,
                HardwareProfiles = profiles,
            };
            ForgetAttempts(models);
            Compile(request, models);
        }
        finally
        {
            cores.Release();
            ForgetAttempts(models);
        }
        // Weights that lie beside an artifact are read from the disk, by their name.
        foreach (var model in models)
            if (model.Embed && _results.TryGetValue(model.ClassName, out var result)
                && result.Files.Any(file => file.EndsWith(".data", StringComparison.Ordinal)))
                ItemLog.Error(model.Item, Codes.ModelTooLarge,
                    $"\"{model.Path}\" has more than 2 GB after compression and cannot be embedded. "
                    + "Remove Embed, or choose a Technique that makes it smaller.", "Embed");
        if (_cancelled || Log.HasLoggedErrors)
            return false;
        RemoveFormerModels(models);
        var files = models.SelectMany(model => _results[model.ClassName].Files).ToList();
        // MSBuild copies what differs from its copy in size or time; an artifact from the cache may have both of the one that it replaces.
        foreach (var file in files)
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow);
        ArtifactRecord.Write(RecordPath, inputs, files);
        WriteList(ResourceListFile, models.Where(model => model.Embed));
        WriteList(FileListFile, models.Where(model => !model.Embed));
        return true;
    }

    // What items made that are gone or renamed since.
    private void RemoveFormerModels(List<ModelItem> models)
    {
        var folders = models.ToDictionary(OutputDirectory, StringComparer.Ordinal);
        foreach (var folder in models.Select(model => Path.GetDirectoryName(OutputDirectory(model))!).Distinct().SelectMany(Directory.EnumerateDirectories)
            .ToList())
            // No class has a dot in its name: such folders are the compiler's, which clears them itself.
            if (!folders.ContainsKey(folder) && Path.GetFileName(folder).IndexOf('.') < 0)
                try
                {
                    Directory.Delete(folder, recursive: true);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Somebody looks at a report; the next compilation removes it.
                }
    }

    private void WriteList(string path, IEnumerable<ModelItem> models) =>
        Files.Write(path, string.Concat(models.SelectMany(model => _results[model.ClassName].Files).Select(file => file + "\n")));

    /// <inheritdoc/>
    public void Cancel()
    {
        lock (_gate)
        {
            _cancelled = true;
            _process?.Cancel();
        }
    }

    // What ended the compiler in this build may well run in the next one.
    private void ForgetAttempts(List<ModelItem> models)
    {
        foreach (var model in models)
            File.Delete(JournalPath(model));
    }

    private int Struck(ModelItem model) => File.Exists(JournalPath(model)) ? CrashJournalFile.Struck(File.ReadLines(JournalPath(model))).Count : 0;

    private void Compile(CompileRequest request, List<ModelItem> models, int struck = 0)
    {
        var process = new CompilerProcess(Host, Compiler);
        var exitCode = Run(process, request, models);
        var unfinished = models.Where(model => !IsFinished(model)).ToList();
        if (unfinished.Count == 0 || _cancelled || exitCode is null)
            return;
        if (models.Count > 1 && exitCode is not (0 or 1 or 2))
        {
            Log.LogMessage(MessageImportance.High, "The model compiler ended unexpectedly (exit code {0}); compiling {1} model(s) one by one.", exitCode,
                unfinished.Count);
            foreach (var model in unfinished)
                Compile(request, [model]);
            return;
        }
        // What was being tried is struck the next time; each round strikes one more, so that there is an end to it.
        if (exitCode is not (0 or 1 or 2) && Struck(models[0]) is var now && now > struck)
        {
            Log.LogMessage(MessageImportance.High, "The model compiler ended unexpectedly (exit code {0}); compiling {1} without the candidate that it tried.",
                exitCode, models[0].ClassName);
            Compile(request, models, now);
            return;
        }
        var lastWords = process.LastWords.Length > 0 ? $" It wrote: {process.LastWords}" : "";
        foreach (var model in unfinished)
            if (exitCode is 0 or 1 or 2)
                ItemLog.Error(model.Item, Codes.CompilerReply,
                    $"The model compiler ended with exit code {exitCode} and said nothing about \"{model.Path}\".{lastWords}");
            else if (exitCode == KilledForMemory)
                ItemLog.Error(model.Item, Codes.MemoryExhausted,
                    $"The system ended the model compiler while it compiled \"{model.Path}\", most likely because memory was exhausted. {OutOfMemoryAdvice}");
            else
                ItemLog.Error(model.Item, Codes.CompilerCrashed,
                    $"The model compiler ended unexpectedly (exit code {exitCode}) while it compiled \"{model.Path}\". ModelBuildTechnique=none, or another "
                    + $"Technique for this item, may get past it.{lastWords}");
        Log.LogMessage(MessageImportance.High, "{0}", process.LastErrorLines);
    }

    // Returns no exit code where the compiler could not even be started; that has been logged then.
    private int? Run(CompilerProcess process, CompileRequest request, List<ModelItem> models)
    {
        if (!File.Exists(Compiler))
        {
            ItemLog.Error(null, Codes.CompilerNotStarted,
                $"The model compiler \"{Compiler}\" does not exist. Restore the package again: dotnet restore --force");
            return null;
        }
        var path = Path.Combine(IntermediateDirectory, "request.json");
        Files.Write(path, request.ToJson(models, SignaturePath, OutputDirectory, JournalPath));
        lock (_gate)
        {
            if (_cancelled)
                throw new OperationCanceledException();
            _process = process;
        }
        try
        {
            return process.Run(path, line => OnReply(line, models), line => Log.LogMessage(MessageImportance.Low, "{0}", line));
        }
        catch (Win32Exception e)
        {
            ItemLog.Error(null, Codes.CompilerNotStarted,
                $"\"{Host}\" could not be started: {e.Message}. Set the property ModelBuildDotNetHost to the dotnet command.");
            return null;
        }
    }

    private void OnReply(string line, List<ModelItem> models)
    {
        CompilerReply reply;
        try
        {
            reply = CompilerReply.Parse(line);
        }
        catch (JsonException)
        {
            // Native libraries write to standard output as they like.
            Log.LogMessage(MessageImportance.Low, "{0}", line);
            return;
        }
        // Two items may compile one file; the class tells them apart.
        var model = models.Find(m => m.ClassName == reply.Class) ?? models.Find(m => m.Path == reply.Model);
        switch (reply)
        {
            case CompilerReply.Progress progress:
                Log.LogMessage(MessageImportance.Normal, "{0}: {1}", model?.ClassName ?? "ModelBuild", progress.Text);
                break;
            case CompilerReply.Result result when model is not null:
                _results[model.ClassName] = result;
                if (result.Summary is not null)
                    Log.LogMessage(MessageImportance.High, "{0}", result.Summary);
                if (result.Reports.FirstOrDefault(report => report.EndsWith(".html", StringComparison.Ordinal)) is { } page)
                    Log.LogMessage(MessageImportance.High, "{0}: report {1}", model.ClassName, page);
                break;
            case CompilerReply.Diagnostic diagnostic:
                Report(diagnostic, model);
                break;
        }
    }

    private void Report(CompilerReply.Diagnostic diagnostic, ModelItem? model)
    {
        var text = diagnostic.Node is { Length: > 0 } node && !diagnostic.Text.Contains(node) ? $"{diagnostic.Text} (node \"{node}\")" : diagnostic.Text;
        switch (diagnostic.Severity)
        {
            case "error":
                ItemLog.Error(model?.Item, diagnostic.Code, text, diagnostic.Metadata);
                if (model is not null)
                    _failed.Add(model.ClassName);
                break;
            case "warning":
                ItemLog.Warning(model?.Item, diagnostic.Code, text, diagnostic.Metadata);
                break;
            default:
                ItemLog.Message(model?.Item, diagnostic.Code, text);
                break;
        }
    }

    private bool IsFinished(ModelItem model) => _results.ContainsKey(model.ClassName) || _failed.Contains(model.ClassName);

    // Parallel projects share the machine: MSBuild hands out cores. Hosts before 16.11 and out-of-process task hosts do not.
    private (int Count, Action Release) RequestCores()
    {
        try
        {
            var granted = BuildEngine9.RequestCores(Environment.ProcessorCount);
            return (granted, () => BuildEngine9.ReleaseCores(granted));
        }
        catch (Exception e) when (e is NotImplementedException or InvalidCastException or MissingMethodException)
        {
            return (1, () => { });
        }
    }
}
