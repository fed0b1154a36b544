using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>An editor gets the class before the first build, and compiles no model for it.</summary>
[Collection(EndToEndCollection.Name)]
public class DesignTimeTests
{
    private static readonly string[] DesignTime =
        ["msbuild", "-nologo", "-t:CoreCompile", "-p:DesignTimeBuild=true", "-p:BuildingProject=false", "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true"];

    [Fact]
    public void SignaturesAreThereAndNothingIsCompiled()
    {
        var project = new OutsideProject().Write("""<OnnxModel Include="Relu.onnx" />""").Model().Source("");
        project.Command("restore").Succeeded();
        DotNet.Run(project.Folder, DesignTime).Succeeded();
        Assert.Equal(["Relu.signature.json"], Directory.GetFiles(Path.Combine(project.Obj, "modelbuild")).Select(Path.GetFileName));
    }

    [Fact]
    public void ABadModelDoesNotTakeTheOtherClassesAway()
    {
        var project = new OutsideProject().Write("""<OnnxModel Include="Bad.onnx" /><OnnxModel Include="Relu.onnx" />""").Model().Source("").Bytes("Bad.onnx", []);
        project.Command("restore").Succeeded();
        DotNet.Run(project.Folder, [.. DesignTime, "-getItem:AdditionalFiles"]).Failed().Says("MDLB1002").Says("Relu.signature.json");
    }
}
