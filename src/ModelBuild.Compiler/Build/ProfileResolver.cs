using System.Globalization;
using ModelBuild.Compression;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;
using ModelBuild.Shared;

namespace ModelBuild.Compiler.Build;

/// <summary>Finds profiles by name: built-in ones, and those that the project defines by <c>HardwareProfile</c> items.</summary>
internal static class ProfileResolver
{
    // What a kernel without an exact 8-bit dot product sums without saturating: pairs of products in 16 bits.
    private const int LargestPairWeight = 63;
    private static readonly string[] DotProducts = ["avxvnni", "avx512vnni", "dotprod"];

    /// <summary>The profile of a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="own">The project's own profiles: for each its fields, by <see cref="ProfileFields"/>.</param>
    /// <exception cref="CompressionException">MDLB0020 to MDLB0023: there is no such profile, or a field is wrong.</exception>
    public static HardwareProfile Resolve(string name, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> own) => Resolve(name, own, []);

    private static HardwareProfile Resolve(string name, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> own, HashSet<string> visited)
    {
        if (!visited.Add(name))
            throw new CompressionException(CompilerCodes.BadHardwareProfile, $"the HardwareProfile '{name}' is based on itself", ProfileFields.BasedOn);
        if (!own.TryGetValue(name, out var fields))
            return BuiltInProfiles.Get(name);
        if (!fields.TryGetValue(ProfileFields.BasedOn, out var based))
            throw new CompressionException(CompilerCodes.BadHardwareProfile,
                $"the HardwareProfile '{name}' does not say BasedOn: name the profile that it changes", ProfileFields.BasedOn);
        var profile = Resolve(based, own, visited) with { Name = name };
        foreach (var (field, value) in fields)
        {
            if (ProfileFields.Problem(field, value) is { } problem)
                throw new CompressionException(CompilerCodes.BadHardwareField, $"HardwareProfile \"{name}\": {problem}", field);
            profile = field switch
            {
                ProfileFields.Requires => profile with { Requires = [.. profile.Requires.Union(ProfileFields.List(value))] },
                ProfileFields.Activations => profile with { Activations = value == "int8" ? ElementType.Int8 : ElementType.UInt8 },
                ProfileFields.WeightLimit => profile with { WeightLimit = int.Parse(value, CultureInfo.InvariantCulture) },
                ProfileFields.CostClass => profile with { CostClass = value },
                _ => profile,
            };
        }
        if (profile.WeightLimit > LargestPairWeight && !profile.Requires.Any(DotProducts.Contains))
            throw new CompressionException(CompilerCodes.BadHardwareField,
                $"HardwareProfile \"{name}\": WeightLimit={profile.WeightLimit} would saturate on CPUs without an exact dot product of 8-bit integers. "
                + $"Write Requires=\"avxvnni\" (or avx512vnni, dotprod), or a WeightLimit of at most {LargestPairWeight}.", ProfileFields.WeightLimit);
        return profile;
    }
}
