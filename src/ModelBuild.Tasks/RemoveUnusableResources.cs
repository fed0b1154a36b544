using System.Xml.Linq;
using Microsoft.Build.Framework;

namespace ModelBuild.Tasks;

/// <summary>
/// Tells the native compiler to leave out embedded artifacts that the app never runs (<see cref="UnusableArtifacts"/>), by a file of substitutions
/// (https://github.com/dotnet/runtime/blob/main/docs/tools/illink/data-formats.md).
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class RemoveUnusableResources : Microsoft.Build.Utilities.Task
{
    /// <summary>The app's assembly and the libraries that are compiled with it.</summary>
    public ITaskItem[] Assemblies { get; set; } = [];

    /// <summary>What the app is compiled for, as the native compiler takes it; empty for its default.</summary>
    public string InstructionSet { get; set; } = "";

    /// <summary>The file to write.</summary>
    [Required]
    public string File { get; set; } = "";

    /// <summary>The file, or nothing where all resources stay.</summary>
    [Output]
    public ITaskItem[] Written { get; private set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        var removed = Assemblies.Select(assembly => Removed(assembly.ItemSpec)).OfType<XElement>().ToArray();
        if (removed.Length == 0)
            return true;
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        new XDocument(new XElement("linker", removed)).Save(File);
        Written = [new Microsoft.Build.Utilities.TaskItem(File)];
        return true;
    }

    private XElement? Removed(string path)
    {
        if (AssemblyResources.Read(path, static name => name.StartsWith("modelbuild/", StringComparison.Ordinal)
            && name.EndsWith(".json", StringComparison.Ordinal)) is not { } read)
            return null;
        var names = read.Resources.SelectMany(manifest => UnusableArtifacts.Of(manifest.Text, InstructionSet)
            .Select(file => manifest.Name.Substring(0, manifest.Name.LastIndexOf('/') + 1) + file)).ToArray();
        return names.Length == 0 ? null
            : new("assembly", new XAttribute("fullname", read.Assembly),
                names.Select(name => new XElement("resource", new XAttribute("name", name), new XAttribute("action", "remove"))));
    }
}
