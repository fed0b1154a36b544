using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>Reads and checks the metadata of OnnxModel items.</summary>
/// <param name="project">The project that holds them.</param>
/// <param name="hardwareProfiles">The profiles that the project defines.</param>
internal sealed class ModelItemReader(ProjectContext project, HardwareProfiles hardwareProfiles)
{
    /// <summary>Reads an item.</summary>
    /// <exception cref="DiagnosticException">A metadata value is wrong.</exception>
    public ModelItem Read(ITaskItem item)
    {
        foreach (var name in KnownMetadata.Names)
            if (KnownMetadata.Value(item, name) is { } value && ItemOptions.Problem(name, value) is { } problem)
                throw new DiagnosticException(problem.Code, problem.Text, name);
        return new()
        {
            Item = item,
            Path = project.FullPath(item.ItemSpec),
            ClassName = ClassName(item),
            Namespace = Namespace(item),
            Accessibility = KnownMetadata.Value(item, "Accessibility") ?? "internal",
            Profiles = Profiles(item),
            Embed = KnownMetadata.Value(item, "Embed") is { } embed && bool.Parse(embed),
            Labels = KnownMetadata.Value(item, "Labels") is { } labels ? project.FullPath(labels) : null,
            Sha256 = Sha256(item),
            Shapes = Shapes(item),
            Image = ImageOptionsReader.Read(item),
            Options = [.. KnownMetadata.Options.Where(name => KnownMetadata.Value(item, name) is not null)
                .Select(name => new KeyValuePair<string, string>(name, KnownMetadata.Value(item, name)!))],
            Data = [.. KnownMetadata.Data.Where(name => KnownMetadata.Value(item, name) is not null)
                .Select(name => new KeyValuePair<string, IReadOnlyList<string>>(name, DataFiles.Expand(project, name, KnownMetadata.Value(item, name)!)))],
        };
    }

    /// <summary>Metadata of an item that look like a misspelt name, each with a message. Others may be anybody's and are left alone.</summary>
    public static IEnumerable<string> MisspeltMetadata(ITaskItem item)
    {
        foreach (var name in item.CloneCustomMetadata().Keys.Cast<string>().OrderBy(name => name, StringComparer.Ordinal))
            if (!KnownMetadata.Names.Contains(name, StringComparer.OrdinalIgnoreCase) && Suggestion.For(name, KnownMetadata.Names) is { } known)
                yield return $"OnnxModel has no metadata \"{name}\"; it is ignored. Did you mean \"{known}\"?";
    }

    private static string ClassName(ITaskItem item)
    {
        if (KnownMetadata.Value(item, "ClassName") is not { } name)
            return CSharpNames.ClassName(Path.GetFileNameWithoutExtension(item.ItemSpec));
        return CSharpNames.IsClassName(name)
            ? name
            : throw new DiagnosticException(Codes.BadName,
                $"ClassName=\"{name}\" cannot be the name of the generated class: it is not a C# identifier, or it is the name of one of its members. Use "
                + $"for example \"{CSharpNames.ClassName(name)}\".", "ClassName");
    }

    private string Namespace(ITaskItem item)
    {
        if (KnownMetadata.Value(item, "Namespace") is not { } name)
            return CSharpNames.Namespace(project.RootNamespace.Length > 0 ? project.RootNamespace + ".Models" : "Models");
        return name.Split('.').All(CSharpNames.IsIdentifier)
            ? name
            : throw new DiagnosticException(Codes.BadName, $"Namespace=\"{name}\" is not a C# namespace. Use for example \"{CSharpNames.Namespace(name)}\".",
                "Namespace");
    }

    private EquatableArray<string> Profiles(ITaskItem item)
    {
        var profiles = KnownMetadata.Value(item, "Profile") is { } text
            ? text.Split([';'], StringSplitOptions.RemoveEmptyEntries).Select(name => name.Trim()).Where(name => name.Length > 0)
                .Distinct(StringComparer.Ordinal).ToList()
            : [.. ProfileDefaults.DefaultsFor(project.RuntimeIdentifier, project.SdkRuntimeIdentifier)];
        foreach (var name in profiles)
            if (ProfileNames.Problem(name, hardwareProfiles.Names) is { } problem)
                throw new DiagnosticException(problem.Code, problem.Text, "Profile");
        return ProfileDefaults.BestFirst(profiles, hardwareProfiles.BasedOn).ToEquatableArray();
    }

    private static string? Sha256(ITaskItem item)
    {
        if (KnownMetadata.Value(item, "Sha256") is not { } hash)
            return null;
        return hash.Length == 64 && hash.All(Uri.IsHexDigit)
            ? hash.ToLowerInvariant()
            : throw new DiagnosticException(Codes.WrongHash, $"Sha256=\"{hash}\" is not a SHA-256: 64 hexadecimal digits.", "Sha256");
    }

    private static Dictionary<string, long> Shapes(ITaskItem item)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        FixedShapes.Read(KnownMetadata.Value(item, "Shapes") ?? "", sizes);
        return sizes;
    }
}
