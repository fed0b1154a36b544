using System.Text.Json;
using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Where items come from, and the seams around them.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class ItemTests
{
    [Fact]
    public void DefaultItemsAreTheModelsOfTheProject()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime, "<EnableDefaultOnnxModelItems>true</EnableDefaultOnnxModelItems><ModelBuildTechnique>none</ModelBuildTechnique>")
            .Model("Deep/Relu.onnx").Model("bin/Not.onnx").Model(".hidden/Not.onnx")
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
        Assert.Single(Directory.GetFiles(Path.Combine(project.Obj, "modelbuild"), "*.signature.json"));
    }

    [Fact]
    public void AnUpdateOfDefaultItemsIsHonouredAndMessagesPointToIt()
    {
        const string items = """
            <OnnxModel Update="Deep/*.onnx" ClassName="Updated" />
            <OnnxModel Update="Deep/Relu.onnx" MaxAcuracyLoss="0.1" />
            <OnnxModel Remove="Not.onnx" />
            <OnnxModel Include="Own.onnx" ClassName="OwnName" />
            """;
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + items,
                "<EnableDefaultOnnxModelItems>true</EnableDefaultOnnxModelItems><ModelBuildTechnique>none</ModelBuildTechnique><TreatWarningsAsErrors>false</TreatWarningsAsErrors>")
            .Model("Deep/Relu.onnx").Model("Not.onnx").Model("Own.onnx")
            .Source("using var model = App.Models.Updated.Load(); using var own = App.Models.OwnName.Load(); Console.WriteLine(\"loaded\");");
        var line = File.ReadAllLines(project.ProjectFile).ToList().FindIndex(text => text.Contains("MaxAcuracyLoss", StringComparison.Ordinal)) + 1;
        project.Build().Succeeded().Says($"App.csproj({line},").Says("warning MDLB0040").DoesNotSay("ModelBuild.props(");
        project.Run().Succeeded().Says("loaded");
        Assert.Equal(["OwnName.json", "Updated.json"], Directory.GetFiles(project.Models(), "*.json").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("""<OnnxModel Include="Relu.onnx" Technique="none" Profile=";" />""", "")]
    [InlineData("""<OnnxModel Include="Relu.onnx" Technique="none" Profile=" ; ; " MetricOutputs=";" Shapes="; " CalibrationData=";" ImageMean=";" />""", "")]
    [InlineData("""<OnnxModel Include="Relu.onnx" Technique="none" />""", "<ModelBuildProfile>$(Undefined);</ModelBuildProfile>")]
    public void ListsOfNothingMeanTheDefault(string item, string properties)
    {
        var project = new OutsideProject().Write(OutsideProject.OnnxRuntime + item, properties).Model().Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
    }

    [Fact]
    public void TheGeneratedTextCanBeWrittenBesideTheProjectAsThePageSays()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "class.md"));
        var start = page.IndexOf("<PropertyGroup>\n  <EmitCompilerGeneratedFiles>", StringComparison.Ordinal);
        var lines = page[start..page.IndexOf("```", start, StringComparison.Ordinal)];
        var project = new OutsideProject()
            .Write($"""<OnnxModel Include="Relu.onnx" Technique="none" /></ItemGroup>{lines}<ItemGroup>{OutsideProject.OnnxRuntime}""").Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(project.Folder, "Generated"), "Relu.g.cs", SearchOption.AllDirectories));
        File.SetLastWriteTimeUtc(Path.Combine(project.Folder, "Program.cs"), DateTime.UtcNow);
        project.Build().Succeeded();
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
    }

    [SkippableFact]
    public void NamesInAScriptWithoutCase()
    {
        var model = Repository.Shared("field", "uncased-names", "cjk.onnx");
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + $"""<OnnxModel Include="{System.Security.SecurityElement.Escape(model)}" Technique="none" />""")
            .Source("using var m = App.Models.Cjk.Load(); Console.WriteLine(\"first \" + m.Predict(new float[] { 1, 2, 3 }, new float[] { 4, 5 }).得分.Span[0]);");
        project.Build().Succeeded();
        project.Run().Succeeded().Says("first -1");
    }

    [Fact]
    public void TargetsOfTheProjectRunAtTheSeams()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """
                <OnnxModel Include="Relu.onnx" Technique="none" />
                </ItemGroup>
                <Target Name="Fetch" BeforeTargets="ModelBuildBeforeCompile"><Copy SourceFiles="Hidden.bin" DestinationFiles="Relu.onnx" SkipUnchangedFiles="true" /></Target>
                <Target Name="Tell" AfterTargets="ModelBuildAfterCompile"><Message Importance="high" Text="compiled: @(_ModelBuildArtifact->'%(Filename)')" /></Target>
                <ItemGroup>
                """)
            .Model("Hidden.bin")
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded().Says("compiled: ");
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
    }

    [Fact]
    public void ThePropertyTurnsCompressionOffWhateverItemsSay()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="no-such-technique" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Failed().Says("error MDLB0030");
        project.Build("-p:ModelBuildTechnique=none").Succeeded();
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
        project.Build().Failed().Says("error MDLB0030");
    }

    [Fact]
    public void AProfileOfOnesOwnStatesWhatItsArtifactNeeds()
    {
        const string model = """<OnnxModel Include="Relu.onnx" Technique="none" Profile="mine;portable" />""";
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime
                + """<HardwareProfile Include="mine" BasedOn="x64-avx2" Requires="avx512vnni" WeightLimit="127" CostClass="avx512vnni" />""" + model)
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(project.Models(), "Relu.json")));
        var artifacts = manifest.RootElement.GetProperty("artifacts").EnumerateArray().ToDictionary(a => a.GetProperty("profile").GetString()!);
        Assert.Equal(["avx2", "fma", "avx512vnni"], artifacts["mine"].GetProperty("requires").EnumerateArray().Select(r => r.GetString()));
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
        // Full-range weights saturate where AVX2 adds pairs of products.
        project.Write(OutsideProject.OnnxRuntime + """<HardwareProfile Include="mine" BasedOn="x64-avx2" WeightLimit="127" />""" + model);
        project.Build().Failed().Says("error MDLB0022").Says("saturate");
    }
}
