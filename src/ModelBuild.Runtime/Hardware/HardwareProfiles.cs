namespace ModelBuild;

/// <summary>The instruction sets that the built-in profiles state. An artifact never runs on a CPU that lacks what its profile states.</summary>
public static class HardwareProfiles
{
    /// <summary>The instruction sets that a built-in profile needs. A name that is not built in needs what its manifest lists.</summary>
    /// <param name="profile">The profile's name.</param>
    public static CpuFeatures Requires(string profile) => profile switch
    {
        "x64-avx2" => CpuFeatures.Avx2 | CpuFeatures.Fma,
        "x64-avx512" => CpuFeatures.Avx2 | CpuFeatures.Fma | CpuFeatures.Avx512,
        "x64-avxvnni" => CpuFeatures.Avx2 | CpuFeatures.Fma | CpuFeatures.AvxVnni,
        "x64-avx512vnni" => CpuFeatures.Avx2 | CpuFeatures.Fma | CpuFeatures.Avx512 | CpuFeatures.Avx512Vnni,
        "arm64" => CpuFeatures.DotProd,
        "arm64-i8mm" => CpuFeatures.DotProd | CpuFeatures.I8mm,
        "wasm-simd" => CpuFeatures.Simd128,
        _ => CpuFeatures.None,
    };

    /// <summary>The feature that a manifest names, such as <c>avx512vnni</c>.</summary>
    /// <param name="name">The lower-case name.</param>
    /// <param name="feature">The feature.</param>
    /// <returns>False if this version knows no such feature: then no CPU may be said to have it.</returns>
    public static bool TryParse(string name, out CpuFeatures feature)
    {
        foreach (CpuFeatures known in Enum.GetValues<CpuFeatures>())
        {
            if (known != CpuFeatures.None && string.Equals(NameOf(known), name, StringComparison.Ordinal))
            {
                feature = known;
                return true;
            }
        }
        feature = CpuFeatures.None;
        return false;
    }

    /// <summary>The names of features as manifests and messages write them, separated by blanks.</summary>
    public static string Names(CpuFeatures features) =>
        string.Join(' ', Enum.GetValues<CpuFeatures>().Where(f => f != CpuFeatures.None && features.HasFlag(f)).Select(NameOf));

    private static string NameOf(CpuFeatures feature) => feature.ToString().ToLowerInvariant();
}
