using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>The profiles that a project defines with HardwareProfile items.</summary>
internal sealed class HardwareProfiles
{
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _profiles = new(StringComparer.Ordinal);

    /// <summary>Name of each profile, and the built-in or own one that it is based on.</summary>
    public IReadOnlyDictionary<string, string> BasedOn => _profiles.ToDictionary(p => p.Key, p => p.Value["BasedOn"], StringComparer.Ordinal);

    /// <summary>All names that an item may use.</summary>
    public IEnumerable<string> Names => BuiltInProfiles.Names.Concat(_profiles.Keys);

    /// <summary>The fields that a user's profile sets, BasedOn among them.</summary>
    public IReadOnlyDictionary<string, string>? Find(string name) => _profiles.TryGetValue(name, out var fields) ? fields : null;

    /// <summary>Adds an item.</summary>
    /// <exception cref="DiagnosticException">It is based on nothing known, or its name is taken.</exception>
    public void Add(ITaskItem item)
    {
        var name = item.ItemSpec;
        var fields = item.CloneCustomMetadata().Keys.Cast<string>()
            .ToDictionary(key => key, item.GetMetadata, StringComparer.Ordinal);
        if (Names.Contains(name))
            throw new DiagnosticException(Codes.BadHardwareProfile, $"The profile name \"{name}\" is taken. Choose another one in Include.");
        if (!fields.TryGetValue("BasedOn", out var parent) || parent.Length == 0)
            throw new DiagnosticException(Codes.BadHardwareProfile, $"The profile \"{name}\" says on which profile it is based: add BasedOn=\"x64-avx2\", or another of: {string.Join(", ", Names)}.");
        if (!Names.Contains(parent))
            throw new DiagnosticException(Codes.BadHardwareProfile, $"The profile \"{name}\" is based on \"{parent}\", which is none.{Suggestion.Sentence(parent, Names)} Profiles: {string.Join(", ", Names)}.", "BasedOn");
        _profiles.Add(name, fields);
    }
}
