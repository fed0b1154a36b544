using System.Globalization;
using ModelBuild.Compression;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Build;

/// <summary>Finds profiles by name: built-in ones, and those that the project defines by <c>HardwareProfile</c> items.</summary>
internal static class ProfileResolver
{
    public static HardwareProfile Resolve(string name, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> own) => Resolve(name, own, []);

    private static HardwareProfile Resolve(string name, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> own, HashSet<string> visited)
    {
        if (!visited.Add(name))
            throw new CompressionException("MDLB0021", $"the HardwareProfile '{name}' is based on itself", "BasedOn");
        if (!own.TryGetValue(name, out var fields))
            return own.Count == 0 || BuiltInProfiles.All.Any(p => p.Name == name) || name == "host"
                ? BuiltInProfiles.Get(name)
                : throw new CompressionException("MDLB0020", $"there is no profile '{name}'{Suggestion.For(name, own.Keys.Concat(BuiltInProfiles.All.Select(p => p.Name)))}", "Profile");
        if (!fields.TryGetValue("BasedOn", out var based))
            throw new CompressionException("MDLB0021", $"the HardwareProfile '{name}' does not say BasedOn: name the built-in profile that it changes", "BasedOn");
        var profile = Resolve(based, own, visited) with { Name = name };
        foreach (var (field, value) in fields)
            profile = field switch
            {
                "BasedOn" => profile,
                "Activations" => profile with
                {
                    Activations = value.ToLowerInvariant() switch
                    {
                        "uint8" => ElementType.UInt8,
                        "int8" => ElementType.Int8,
                        _ => throw Bad(name, field, value, "uint8 or int8"),
                    },
                },
                "WeightLimit" => profile with
                {
                    WeightLimit = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is > 0 and <= 127 ? limit : throw Bad(name, field, value, "a number from 1 to 127"),
                },
                _ => throw new CompressionException("MDLB0022", $"the HardwareProfile '{name}' has a field '{field}'{Suggestion.For(field, ["BasedOn", "Activations", "WeightLimit"])}; there are BasedOn, Activations, WeightLimit", field),
            };
        return profile;
    }

    private static CompressionException Bad(string profile, string field, string value, string wanted) =>
        new("MDLB0022", $"the HardwareProfile '{profile}' says {field}={value}; write {wanted}", field);
}
