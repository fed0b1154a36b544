using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>The profiles that a project defines with HardwareProfile items.</summary>
internal sealed class HardwareProfiles
{
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _profiles = new(StringComparer.Ordinal);

    /// <summary>Name of each profile, and the built-in or own one that it is based on.</summary>
    public IReadOnlyDictionary<string, string> BasedOn => _profiles.ToDictionary(p => p.Key, p => p.Value[ProfileFields.BasedOn], StringComparer.Ordinal);

    /// <summary>The names of the profiles.</summary>
    public IEnumerable<string> Names => _profiles.Keys;

    /// <summary>The fields that a user's profile sets, BasedOn among them.</summary>
    public IReadOnlyDictionary<string, string>? Find(string name) => _profiles.TryGetValue(name, out var fields) ? fields : null;

    /// <summary>Adds an item.</summary>
    /// <exception cref="DiagnosticException">It is based on nothing known, its name is taken, or a field is wrong.</exception>
    public void Add(ITaskItem item)
    {
        var name = item.ItemSpec;
        var fields = item.CloneCustomMetadata().Keys.Cast<string>()
            .ToDictionary(key => key, item.GetMetadata, StringComparer.Ordinal);
        if (ProfileNames.BuiltIn.Concat(ProfileNames.Later).Concat(Names).Contains(name))
            throw new DiagnosticException(Codes.BadHardwareProfile, $"The profile name \"{name}\" is taken. Choose another one in Include.");
        if (!fields.TryGetValue(ProfileFields.BasedOn, out var parent) || parent.Length == 0)
            throw new DiagnosticException(Codes.BadHardwareProfile,
                $"The profile \"{name}\" says on which profile it is based: add BasedOn=\"x64-avx2\", or another of: "
                + $"{string.Join(", ", ProfileNames.BuiltIn.Concat(Names))}.");
        if (ProfileNames.Problem(parent, Names) is { } unknown)
            throw new DiagnosticException(unknown.Code, $"The profile \"{name}\" is based on one that cannot be used. {unknown.Text}", ProfileFields.BasedOn);
        foreach (var field in fields)
            if (ProfileFields.Problem(field.Key, field.Value) is { } problem)
                throw new DiagnosticException(Codes.BadHardwareField, problem, field.Key);
        _profiles.Add(name, fields);
    }
}
