using ModelBuild.Loading;

namespace ModelBuild.Runtime.Tests;

public sealed class ArtifactSelectionTests
{
    private const CpuFeatures Avx2 = CpuFeatures.Avx2 | CpuFeatures.Fma;
    private const CpuFeatures Zen5 = Avx2 | CpuFeatures.Avx512 | CpuFeatures.Avx512Vnni | CpuFeatures.AvxVnni;
    private const CpuFeatures IceLake = Avx2 | CpuFeatures.Avx512 | CpuFeatures.Avx512Vnni;

    private static readonly Manifest Usual = Manifest("x64-avx512vnni:onnxruntime", "x64-avxvnni:managed", "x64-avx2:managed", "portable:managed");

    [Theory]
    [InlineData(Zen5, "x64-avx512vnni")]
    [InlineData(IceLake, "x64-avx512vnni")]
    [InlineData(Avx2 | CpuFeatures.AvxVnni, "x64-avxvnni")]
    [InlineData(Avx2, "x64-avx2")]
    [InlineData(CpuFeatures.Avx2, "portable")]
    [InlineData(CpuFeatures.None, "portable")]
    public void Takes_the_first_profile_that_the_cpu_admits_without_a_notice(CpuFeatures cpu, string expected)
    {
        var choice = Choose(Usual, new ModelOptions(), cpu, Both);
        Assert.Equal(expected, choice.Artifact.Profile);
        Assert.Null(choice.Fallback);
    }

    [Fact]
    public void Falls_back_with_a_notice_where_a_backend_is_missing()
    {
        var choice = Choose(Usual, new ModelOptions(), Zen5, ManagedOnly);
        Assert.Equal("x64-avxvnni", choice.Artifact.Profile);
        Assert.Equal("x64-avx512vnni", choice.Fallback!.WantedProfile);
        Assert.Equal("x64-avxvnni", choice.Fallback.TakenProfile);
        Assert.Contains("dotnet add package ModelBuild.OnnxRuntime", choice.Fallback.Reason);
    }

    [Fact]
    public void A_missing_backend_with_no_other_artifact_names_both_commands()
    {
        var error = Assert.Throws<ModelLoadException>(() => Choose(Manifest("portable:onnxruntime"), new ModelOptions(), Zen5, ManagedOnly));
        Assert.Equal("MDLB3006", error.Code);
        Assert.Contains("dotnet add package ModelBuild.OnnxRuntime", error.Message);
        Assert.Contains("dotnet add package Microsoft.ML.OnnxRuntime", error.Message);
    }

    [Fact]
    public void A_named_profile_is_taken_or_refused()
    {
        Assert.Equal("x64-avx2", Choose(Usual, new ModelOptions { Profile = "x64-avx2" }, Zen5, Both).Artifact.Profile);
        Assert.Equal("MDLB3005", Assert.Throws<ModelLoadException>(() => Choose(Usual, new ModelOptions { Profile = "x64-avx512vnni" }, Avx2, Both)).Code);
        var unknown = Assert.Throws<ModelLoadException>(() => Choose(Usual, new ModelOptions { Profile = "arm64" }, Zen5, Both));
        Assert.Equal("MDLB3008", unknown.Code);
        Assert.Contains("'x64-avx2'", unknown.Message);
    }

    [Fact]
    public void A_named_backend_limits_the_choice() =>
        Assert.Equal("x64-avxvnni", Choose(Usual, new ModelOptions { Backend = "managed" }, Zen5, Both).Artifact.Profile);

    [Fact]
    public void A_cpu_that_admits_nothing_is_a_coded_error_that_says_what_it_lacks()
    {
        var error = Assert.Throws<ModelLoadException>(() => Choose(Manifest("x64-avx512vnni:managed"), new ModelOptions(), Avx2, Both));
        Assert.Equal("MDLB3005", error.Code);
        Assert.Contains("avx512vnni", error.Message);
    }

    [Fact]
    public void A_profile_of_the_users_own_states_what_it_needs()
    {
        var manifest = Read("""{ "profile": "gateway", "file": "a.bin", "backend": "managed", "bytes": 1, "sha256": "", "requires": ["avx2", "fma"] }""");
        Assert.Equal("gateway", Choose(manifest, new ModelOptions(), Avx2, Both).Artifact.Profile);
        Assert.Throws<ModelLoadException>(() => Choose(manifest, new ModelOptions(), CpuFeatures.Avx2, Both));
    }

    [Fact]
    public void No_cpu_has_a_feature_that_this_version_does_not_know()
    {
        var manifest = Read("""{ "profile": "gateway", "file": "a.bin", "backend": "managed", "bytes": 1, "sha256": "", "requires": ["amx-int8"] }""");
        Assert.Contains("amx-int8", Assert.Throws<ModelLoadException>(() => Choose(manifest, new ModelOptions(), Zen5, Both)).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{ "format": "one" }""")]
    [InlineData("""{ "format": 1 }""")]
    [InlineData("""{ "format": 1, "class": "C", "signatureHash": "h", "artifacts": [ 3 ] }""")]
    [InlineData("""{ "format": 1, "class": "C", "signatureHash": "h", "artifacts": [ { "profile": "p" } ] }""")]
    [InlineData("""{ "format": 1, "class": "C", "signatureHash": "h", "artifacts": [ { "profile": "p", "file": "../a", "backend": "b", "bytes": 1, "sha256": "" } ] }""")]
    [InlineData("""{ "format": 1, "class": "C", "signatureHash": "h", "artifacts": [ { "profile": "p", "file": "a", "backend": "b", "bytes": 1, "sha256": "", "data": { "file": "../a", "bytes": 1 } } ] }""")]
    [InlineData("""{ "format": 1, "class": "C", "signatureHash": "h", "artifacts": [ { "profile": "p", "file": "a", "backend": "b", "bytes": 1, "sha256": "", "data": { "file": "a" } } ] }""")]
    public void A_damaged_manifest_is_a_coded_error(string json) =>
        Assert.Equal("MDLB3002", Assert.Throws<ModelLoadException>(() => ManifestReader.Read(System.Text.Encoding.UTF8.GetBytes(json), "m.json")).Code);

    [Fact]
    public void A_newer_manifest_is_a_coded_error() =>
        Assert.Equal("MDLB3003", Assert.Throws<ModelLoadException>(() => ManifestReader.Read("""{ "format": 2, "class": 7 }"""u8, "m.json")).Code);

    [Theory]
    [InlineData(Avx2, Zen5, "x64-avx512vnni")]
    [InlineData(Avx2, Avx2, "x64-avx2")]
    [InlineData(CpuFeatures.None, Avx2 | CpuFeatures.AvxVnni, "portable")]
    public void Native_code_goes_by_the_cpu_and_managed_code_by_what_it_was_compiled_for(CpuFeatures compiled, CpuFeatures cpu, string expected)
    {
        var choice = ArtifactSelection.Choose(Usual, new ModelOptions(), compiled, cpu, name => new DoublingBackend(name, isNative: name == "onnxruntime"));
        Assert.Equal(expected, choice.Artifact.Profile);
        Assert.Null(choice.Fallback);
    }

    [Fact]
    public void What_native_code_finds_is_at_least_what_managed_code_uses() =>
        Assert.Equal(CpuFeatureDetection.Current, CpuFeatureDetection.Current & CpuFeatureDetection.Native);

    private static ArtifactSelection.Choice Choose(Manifest manifest, ModelOptions options, CpuFeatures cpu, Func<string, ModelBackend?> find) =>
        ArtifactSelection.Choose(manifest, options, cpu, cpu, find);

    private static ModelBackend? Both(string name) => new DoublingBackend(name);

    private static ModelBackend? ManagedOnly(string name) => name == "managed" ? new DoublingBackend(name) : null;

    private static Manifest Manifest(params string[] profileAndBackend) => new("m.json", "C", "h",
        [.. profileAndBackend.Select(p => p.Split(':'))
            .Select(p => new ManifestArtifact(p[0], p[0] + ".bin", p[1], 1, "", "none", HardwareProfiles.Requires(p[0]), null))]);

    private static Manifest Read(string artifact) =>
        ManifestReader.Read(System.Text.Encoding.UTF8.GetBytes($$"""{ "format": 1, "class": "C", "signatureHash": "h", "artifacts": [ {{artifact}} ] }"""),
            "m.json");
}
