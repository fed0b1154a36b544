using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>An editor gets the class before the first build, and compiles no model for it.</summary>
[Collection(EndToEndCollection.Name)]
public class DesignTimeTests
{
    private static readonly string[] DesignTime =
        ["msbuild", "-nologo", "-t:CoreCompile", "-p:DesignTimeBuild=true", "-p:BuildingProject=false", "-p:SkipCompilerExecution=true",
            "-p:ProvideCommandLineArgs=true"];

    [Fact]
    public void SignaturesAreThereAndNothingIsCompiled()
    {
        var project = new OutsideProject().Write("""<OnnxModel Include="Relu.onnx" />""").Model().Source("");
        project.Command("restore").Succeeded();
        DotNet.Run(project.Folder, DesignTime).Succeeded();
        Assert.Equal(["Relu.signature.json"], Directory.GetFiles(Path.Combine(project.Obj, "modelbuild")).Select(Path.GetFileName));
    }

    [Fact]
    public void TheUpToDateCheckOfAnIdeSeesFiles()
    {
        var project = new OutsideProject().Write("""
            <OnnxModel Include="Relu.onnx" CalibrationData="part*.npy;folder" Labels="labels.txt" />
            </ItemGroup>
            <Target Name="CollectUpToDateCheckInputDesignTime" />
            <ItemGroup>
            """).Model().Source("").Bytes("part1.npy", [1]).Bytes("part2.npy", [1]).Bytes("folder/x.npz", [1]).Bytes("labels.txt", [.. "a\nb\nc\nd\n"u8]);
        project.Command("restore").Succeeded();
        var result = DotNet.Run(project.Folder, ["msbuild", "-nologo", "-t:CollectUpToDateCheckInputDesignTime", "-p:DesignTimeBuild=true",
            "-p:BuildingProject=false", "-getItem:UpToDateCheckInput"]).Succeeded();
        using var json = System.Text.Json.JsonDocument.Parse(result.Output);
        var inputs = json.RootElement.GetProperty("Items").GetProperty("UpToDateCheckInput").EnumerateArray().ToList();
        Assert.Equal(["labels.txt", "part1.npy", "part2.npy", "Relu.onnx", "x.npz"],
            inputs.Select(i => Path.GetFileName(i.GetProperty("Identity").GetString()!)).Order(StringComparer.OrdinalIgnoreCase));
        Assert.All(inputs, i => Assert.True(File.Exists(i.GetProperty("FullPath").GetString()) && i.GetProperty("Set").GetString() == "ModelBuild"));
    }

    [Fact]
    public void ABadModelDoesNotTakeTheOtherClassesAway()
    {
        var project = new OutsideProject().Write("""<OnnxModel Include="Bad.onnx" /><OnnxModel Include="Relu.onnx" />""").Model().Source("")
            .Bytes("Bad.onnx", []);
        project.Command("restore").Succeeded();
        DotNet.Run(project.Folder, [.. DesignTime, "-getItem:AdditionalFiles"]).Failed().Says("MDLB1002").Says("Relu.signature.json");
    }
}
