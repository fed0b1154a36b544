using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ModelBuild.Tasks.Tests.Support;

/// <summary>A project in a temporary folder, and its OnnxModel items.</summary>
internal sealed class TestProject : IDisposable
{
    public TemporaryFolder Folder { get; } = new();

    public RecordingEngine Engine { get; private set; } = new();

    public List<ITaskItem> Models { get; } = [];

    public List<ITaskItem> Profiles { get; } = [];

    public string File => Folder.File("App.csproj");

    public string Intermediate => Folder.File("obj") + Path.DirectorySeparatorChar;

    /// <summary>Adds a model that exists, and an item for it.</summary>
    public ITaskItem AddModel(string name, params (string Name, string Value)[] metadata)
    {
        if (!System.IO.File.Exists(Folder.File(name)))
            Folder.Write(name, OnnxFile.Model(shape: ["batch", 4]));
        return AddItem(name, metadata);
    }

    /// <summary>Adds an item alone.</summary>
    public ITaskItem AddItem(string include, params (string Name, string Value)[] metadata)
    {
        var item = new TaskItem(include);
        foreach (var (name, value) in metadata)
            item.SetMetadata(name, value);
        Models.Add(item);
        return item;
    }

    public InspectModels Inspect(string runtimeIdentifier = "")
    {
        Engine = new();
        var task = new InspectModels
        {
            Compiler = Repository.FakeCompiler,
            InputListFile = Path.Combine(Intermediate, "inputs.txt"),
            FileListFile = Path.Combine(Intermediate, "files.txt"),
            ResourceListFile = Path.Combine(Intermediate, "resources.txt"),
            CopyDirectories = [Folder.File("bin")],
            RuntimeIdentifier = runtimeIdentifier,
        };
        Configure(task);
        return task;
    }

    public CompileModels Compile()
    {
        Engine = new();
        var task = new CompileModels
        {
            Host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet",
            Compiler = Repository.FakeCompiler,
            Cache = Folder.File("cache"),
            InputListFile = Path.Combine(Intermediate, "inputs.txt"),
            FileListFile = Path.Combine(Intermediate, "files.txt"),
            ResourceListFile = Path.Combine(Intermediate, "resources.txt"),
        };
        Configure(task);
        return task;
    }

    public void Dispose() => Folder.Dispose();

    private void Configure(ModelTask task)
    {
        task.BuildEngine = Engine;
        task.Models = [.. Models];
        task.HardwareProfiles = [.. Profiles];
        task.ProjectFile = File;
        task.AssemblyName = "App";
        task.RootNamespace = "App";
        task.SdkRuntimeIdentifier = "linux-x64";
        task.IntermediateDirectory = Intermediate;
        task.HelpDirectory = Path.Combine(Repository.Root, "docs", "diagnostics");
    }
}
