namespace ModelBuild.Compression.Profiles;

/// <summary>The class of this machine's CPU: what a measurement made here is valid for.</summary>
public static class CpuClass
{
    /// <summary>The class: <c>avx512vnni</c>, <c>avxvnni</c>, <c>avx512</c>, <c>avx2</c>, <c>arm64</c> or <c>other</c>.</summary>
    public static string Host { get; } = Of(CpuFeatureDetection.Current);

    /// <summary>The built-in profile for this machine.</summary>
    public static string HostProfile => Host switch
    {
        "arm64" => "arm64",
        "other" => "portable",
        _ => $"x64-{Host}",
    };

    /// <summary>Whether this machine multiplies 8-bit integers with exact 32-bit sums by an instruction of its own.</summary>
    public static bool HasIntegerDotProduct => Host is "avx512vnni" or "avxvnni" or "arm64";

    private static string Of(CpuFeatures f) =>
        f.HasFlag(CpuFeatures.Avx512Vnni) ? "avx512vnni"
        : f.HasFlag(CpuFeatures.AvxVnni) ? "avxvnni"
        : f.HasFlag(CpuFeatures.Avx512) ? "avx512"
        : f.HasFlag(CpuFeatures.Avx2 | CpuFeatures.Fma) ? "avx2"
        : f.HasFlag(CpuFeatures.DotProd) ? "arm64"
        : "other";
}
