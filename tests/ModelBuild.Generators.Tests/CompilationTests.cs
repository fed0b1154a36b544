using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelBuild.Generators.Tests.Support;
using ModelBuild.Shared;
using static ModelBuild.Generators.Tests.Support.Signatures;

namespace ModelBuild.Generators.Tests;

/// <summary>Generated code compiles with every warning an error, documentation comments checked, without unsafe, in every setting a project may have.</summary>
public class CompilationTests
{
    private static readonly ModelSignature Everything = Create(
        "Everything",
        [Tensor("image", "float", "batch", 3, 8, 8)],
        [Tensor("scores", "float", "batch", 10), Tensor("tags", "string", "batch"), Tensor("flags", "bool", "?")]) with
    {
        Accessibility = "public",
        Embed = true,
        Labels = Enumerable.Range(0, 10).Select(i => $"class {i}").ToEquatableArray(),
        Image = new("fit", new[] { 0.0 }.ToEquatableArray(), new[] { 1.0 }.ToEquatableArray(), "rgb", "nchw"),
    };

    [Theory]
    [InlineData(LanguageVersion.CSharp7_3)]
    [InlineData(LanguageVersion.CSharp8)]
    [InlineData(LanguageVersion.CSharp9)]
    [InlineData(LanguageVersion.CSharp10)]
    [InlineData(LanguageVersion.CSharp11)]
    [InlineData(LanguageVersion.CSharp12)]
    [InlineData(LanguageVersion.CSharp13)]
    [InlineData(LanguageVersion.CSharp14)]
    [InlineData(LanguageVersion.Preview)]
    public void EveryLanguageVersion(LanguageVersion version)
    {
        var nullable = version < LanguageVersion.CSharp8 ? NullableContextOptions.Disable : NullableContextOptions.Enable;
        AssertNoProblems(new GeneratorRun(version, nullable).Run(Everything, MobileNet).Problems);
    }

    [Theory]
    [InlineData(NullableContextOptions.Disable)]
    [InlineData(NullableContextOptions.Warnings)]
    [InlineData(NullableContextOptions.Annotations)]
    public void EveryNullableContext(NullableContextOptions nullable) =>
        AssertNoProblems(new GeneratorRun(nullable: nullable).Run(Everything, MobileNet).Problems);

    [Theory]
    [InlineData("float"), InlineData("uint8"), InlineData("int8"), InlineData("uint16"), InlineData("int16"), InlineData("int32"), InlineData("int64")]
    [InlineData("string"), InlineData("bool"), InlineData("float16"), InlineData("double"), InlineData("uint32"), InlineData("uint64")]
    public void EveryElementType(string type) => AssertNoProblems(new GeneratorRun().Run(
        Create("Typed", [Tensor("x", type, "n", 2), Tensor("scalar", type)], [Tensor("y", type, "n", 2), Tensor("z", type)])).Problems);

    [Fact]
    public void NoInputs() => AssertNoProblems(new GeneratorRun().Run(Create("Source", [], [Tensor("y", "float", 4)])).Problems);

    [Fact]
    public void GlobalNamespaceAndNamesOfTheFramework() => AssertNoProblems(new GeneratorRun().Run(
        Create("String", [Tensor("System", "float", "Task")], [Tensor("ModelBuild", "float", "Task")]) with { Namespace = "" },
        Create("System", [Tensor("x", "float", 1)], [Tensor("y", "float", 1)]) with { Namespace = "App.System.ModelBuild" }).Problems);

    [Fact]
    public void HugeAndEmptyShapes() => AssertNoProblems(new GeneratorRun().Run(
        Create("Huge", [Tensor("x", "float", 1 << 20, 1 << 20, 1 << 20, 1 << 20, "n")], [Tensor("y", "float", 0, 1 << 20, "n", "n")])).Problems);

    [Fact]
    public void OnnxRuntimeIsRegisteredIfAndOnlyIfItIsReferenced()
    {
        Assert.DoesNotContain("OnnxRuntimeBackend", new GeneratorRun().Run(MobileNet).Source("MobileNet"));
        var run = new GeneratorRun(references: [GeneratorRun.Runtime, GeneratorRun.OnnxRuntime]).Run(MobileNet);
        Assert.Contains("global::ModelBuild.OnnxRuntimeBackend.Register();", run.Source("MobileNet"));
        AssertNoProblems(run.Problems);
    }

    [Fact]
    public void MissingRuntimeIsACodedError()
    {
        var diagnostic = Assert.Single(new GeneratorRun(references: [GeneratorRun.OnnxRuntime]).Run(MobileNet).Result.Diagnostics);
        Assert.Equal("MDLB4004", diagnostic.Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"format\": 1}")]
    [InlineData("{\"format\": 2}")]
    public void DamagedSignatureIsACodedError(string text)
    {
        var run = new GeneratorRun().Run(new GeneratorRun.TextFile("/app/Broken.signature.json", text));
        Assert.Equal("MDLB4003", Assert.Single(run.Result.Diagnostics).Id);
        Assert.Empty(run.Result.GeneratedSources);
    }

    [Fact]
    public void DeeplyNestedSignatureIsACodedError() =>
        Assert.Equal("MDLB4003", Assert.Single(new GeneratorRun()
            .Run(new GeneratorRun.TextFile("/app/Deep.signature.json", new string('[', 100_000))).Result.Diagnostics).Id);

    private static void AssertNoProblems(IEnumerable<string> problems)
    {
        var all = string.Join("\n", problems);
        Assert.True(all.Length == 0, all);
    }
}
