using ModelBuild.Compression.Backends;
using ModelBuild.Shared;

namespace ModelBuild.Tasks.Tests;

public class ProfileTests
{
    [Theory]
    [InlineData("", "linux-x64", "x64-avx512vnni x64-avxvnni x64-avx2 portable")]
    [InlineData("", "osx-arm64", "arm64 portable")]
    [InlineData("win-x64", "osx-arm64", "x64-avx512vnni x64-avxvnni x64-avx2")]
    [InlineData("linux-musl-x64", "linux-x64", "x64-avx512vnni x64-avxvnni x64-avx2")]
    [InlineData("linux-arm64", "linux-x64", "arm64")]
    [InlineData("linux-arm", "linux-x64", "portable")]
    [InlineData("browser-wasm", "linux-x64", "wasm-simd")]
    public void Defaults(string runtimeIdentifier, string sdk, string expected) =>
        Assert.Equal(expected, string.Join(" ", ProfileDefaults.DefaultsFor(runtimeIdentifier, sdk)));

    [Fact]
    public void BestComesFirstAndOnesOwnBeforeItsBase()
    {
        var basedOn = new Dictionary<string, string> { ["mine"] = "x64-avx2", ["child"] = "mine" };
        Assert.Equal(
            ["x64-avx512vnni", "mine", "x64-avx2", "portable"],
            ProfileDefaults.BestFirst(["portable", "x64-avx2", "mine", "x64-avx512vnni"], basedOn));
        Assert.Equal(["child", "x64-avx2"], ProfileDefaults.BestFirst(["x64-avx2", "child"], basedOn));
    }

    [Theory]
    [InlineData("x64-avx512vnni x64-avx2", "x86-64-v3")]
    [InlineData("x64-avx512vnni", "x86-64-v4")]
    [InlineData("mine", "x86-64-v3")]
    [InlineData("x64-avx2 portable", "")]
    [InlineData("arm64", "")]
    [InlineData("", "")]
    public void NativeInstructionSets(string profiles, string expected) => Assert.Equal(expected, ProfileDefaults.NativeInstructionSet(
        profiles.Split(' ', StringSplitOptions.RemoveEmptyEntries), new Dictionary<string, string> { ["mine"] = "x64-avxvnni" }));

    [Fact]
    public void TasksAndCompilerKnowTheSameProfiles() =>
        Assert.Equal(ProfileNames.BuiltIn.Order(), Compression.Profiles.BuiltInProfiles.All.Select(profile => profile.Name).Append("host").Order());

    [Fact]
    public void EveryCostClassHasATable() => Assert.All(ProfileFields.CostClasses, name => Assert.True(Compression.Backends.CostTable.Exists(name), name));

    [Fact]
    public void InstructionSetsAreThoseOfTheRuntime() =>
        Assert.Equal(ProfileFields.InstructionSets.Order(), Enum.GetValues<CpuFeatures>().Where(f => f != CpuFeatures.None)
            .Select(f => f.ToString().ToLowerInvariant()).Order());
}
