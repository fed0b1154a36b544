using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;
using ModelBuild.Shared;

namespace ModelBuild.Compression.Profiles;

/// <summary>
/// The profiles that come with the package. Integer pairs follow what ONNX Runtime's CPU kernels compute exactly: with VNNI u8 x s8 of full range;
/// without it VPMADDUBSW adds two products in 16 bits, so that weights are held to 7 bits; arm64 multiplies s8 x s8.
/// </summary>
public static class BuiltInProfiles
{
    private const int Full = 127;
    private const int SevenBits = 63;

    /// <summary>All built-in profiles.</summary>
    public static IReadOnlyList<HardwareProfile> All { get; } =
    [
        new() { Name = "portable", Requires = [], Activations = ElementType.UInt8, WeightLimit = SevenBits, CostClass = "avx2" },
        new() { Name = "x64-avx2", Requires = ["avx2", "fma"], Activations = ElementType.UInt8, WeightLimit = SevenBits, CostClass = "avx2" },
        new() { Name = "x64-avx512", Requires = ["avx2", "fma", "avx512"], Activations = ElementType.UInt8, WeightLimit = SevenBits, CostClass = "avx512" },
        new() { Name = "x64-avxvnni", Requires = ["avx2", "fma", "avxvnni"], Activations = ElementType.UInt8, WeightLimit = Full, CostClass = "avxvnni" },
        new() { Name = "x64-avx512vnni", Requires = ["avx2", "fma", "avx512", "avx512vnni"], Activations = ElementType.UInt8, WeightLimit = Full,
            CostClass = "avx512vnni" },
        new() { Name = "arm64", Requires = ["dotprod"], Activations = ElementType.Int8, WeightLimit = Full, CostClass = "arm64", Experimental = true },
        new() { Name = "arm64-i8mm", Requires = ["dotprod", "i8mm"], Activations = ElementType.Int8, WeightLimit = Full, CostClass = "arm64",
            Experimental = true },
        new() { Name = "wasm-simd", Requires = ["simd128"], Activations = ElementType.UInt8, WeightLimit = SevenBits, CostClass = "wasm-simd",
            Experimental = true },
    ];

    /// <summary>The profile of a name; <c>host</c> is the best one that this machine runs, with the costs of its very class where they were measured.</summary>
    /// <exception cref="CompressionException">MDLB0020, MDLB0023: there is no such profile, or not in this version.</exception>
    public static HardwareProfile Get(string name)
    {
        if (name == "host")
            return ThisMachine with { Name = "host", CostClass = CostTable.Exists(CpuFeatureDetection.Class) ? CpuFeatureDetection.Class
                : ThisMachine.CostClass };
        if (ProfileNames.Problem(name, []) is { } problem)
            throw new CompressionException(problem.Code, problem.Text, "Profile");
        return All.First(p => p.Name == name);
    }

    /// <summary>The built-in profile that fits this machine best: the last one all of whose instruction sets it has.</summary>
    public static HardwareProfile ThisMachine { get; } =
        All.Last(p => p.Requires.All(r => HardwareProfiles.TryParse(r, out var feature) && CpuFeatureDetection.Current.HasFlag(feature)));

    /// <summary>
    /// Whether a clock on this machine says something about a profile: only about CPUs of its own class. A CPU that has nothing of what profiles name is of no
    /// class, whatever table its profile is priced by.
    /// </summary>
    public static bool IsTimedHere(HardwareProfile profile) => profile.Name == "host" || ThisMachine.Requires.Length > 0
        && profile.CostClass == ThisMachine.CostClass;
}
