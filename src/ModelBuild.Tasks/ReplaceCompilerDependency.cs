using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Build.Framework;

namespace ModelBuild.Tasks;

/// <summary>
/// Makes the package of a library depend on what its code calls, ModelBuild.Runtime, instead of ModelBuild, which compiles models and is of no use to who
/// consumes the library. NuGet writes dependencies from the restored references, before any package has a say; so they are changed in the package that it made.
/// Doing it again changes nothing.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class ReplaceCompilerDependency : Microsoft.Build.Utilities.Task
{
    private const string Compiler = "ModelBuild";
    private const string Runtime = "ModelBuild.Runtime";

    // What the runtime is for.
    private const int LeastVersionOfNet = 10;

    /// <summary>What packing made: packages, and the descriptions that they were made from.</summary>
    public ITaskItem[] Files { get; set; } = [];

    /// <summary>The version of ModelBuild, which is that of its runtime.</summary>
    [Required]
    public string Version { get; set; } = "";

    /// <inheritdoc/>
    public override bool Execute()
    {
        foreach (var path in Files.Select(file => file.GetMetadata("FullPath")).Where(File.Exists))
            if (path.EndsWith(".nupkg", StringComparison.OrdinalIgnoreCase))
                ChangePackage(path);
            else if (path.EndsWith(".nuspec", StringComparison.OrdinalIgnoreCase)
                && Changed(XDocument.Load(path, LoadOptions.PreserveWhitespace)) is { } description)
                description.Save(path, SaveOptions.DisableFormatting);
        return true;
    }

    private void ChangePackage(string path)
    {
        using var package = ZipFile.Open(path, ZipArchiveMode.Update);
        if (package.Entries.FirstOrDefault(entry => entry.FullName == entry.Name
            && entry.Name.EndsWith(".nuspec", StringComparison.OrdinalIgnoreCase)) is not { } entry)
            return;
        using var content = entry.Open();
        if (Changed(XDocument.Load(content, LoadOptions.PreserveWhitespace)) is not { } description)
            return;
        var time = entry.LastWriteTime;
        content.SetLength(0);
        description.Save(content, SaveOptions.DisableFormatting);
        content.Dispose();
        // The same project gives the same package.
        entry.LastWriteTime = time;
    }

    // The description with its dependencies replaced; null where nothing is to be done.
    private XDocument? Changed(XDocument description)
    {
        var groups = description.Descendants().Where(element => element.Name.LocalName is "group" or "dependencies" && element.Elements()
            .All(child => child.Name.LocalName != "group"));
        return groups.ToList().Aggregate(false, (changed, group) => Change(group) || changed) ? description : null;
    }

    private bool Change(XElement group)
    {
        var compiler = Find(group, Compiler);
        if (Find(group, Runtime) is not null)
        {
            compiler?.Remove();
            return compiler is not null;
        }
        // References with PrivateAssets="all" are left out, and the runtime, which comes with ModelBuild, with it.
        if (compiler is null && !HasRuntime((string?)group.Attribute("targetFramework") ?? ""))
            return false;
        if (compiler is null)
            group.Add(compiler = new XElement(group.Name.Namespace + "dependency", new XAttribute("id", ""), new XAttribute("version", Version),
                new XAttribute("exclude", "Build,Analyzers")));
        compiler.SetAttributeValue("id", Runtime);
        return true;
    }

    private static bool HasRuntime(string targetFramework) =>
        Regex.Match(targetFramework, @"^(?:net|\.NETCoreApp)([0-9]+)\.[0-9]") is { Success: true } match
            && int.Parse(match.Groups[1].Value) >= LeastVersionOfNet;

    private static XElement? Find(XElement group, string id) =>
        group.Elements().FirstOrDefault(element => element.Name.LocalName == "dependency"
            && string.Equals((string?)element.Attribute("id"), id, StringComparison.OrdinalIgnoreCase));
}
