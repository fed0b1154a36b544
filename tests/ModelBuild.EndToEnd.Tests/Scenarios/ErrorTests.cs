using System.Text;
using ModelBuild.EndToEnd.Tests.Support;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>What is wrong is said with a code at the item's line, with the fix, and leaves nothing half-written.</summary>
[Collection(EndToEndCollection.Name)]
public class ErrorTests
{
    [Fact]
    public void ANativeLibraryOlderThanItsManagedPartIsACodedError()
    {
        var project = new OutsideProject()
            .Write($"""<PackageReference Include="ModelBuild.OnnxRuntime" Version="{Packages.Version}" /><PackageReference Include="Microsoft.ML.OnnxRuntime" Version="1.30.0" /><OnnxModel Include="Relu.onnx" Technique="none" Backend="onnxruntime" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        // A package as its own, but for what is in it.
        using (var file = File.Create(Path.Combine(Packages.Feed, "Microsoft.ML.OnnxRuntime.1.30.0.nupkg")))
        using (var package = new System.IO.Compression.ZipArchive(file, System.IO.Compression.ZipArchiveMode.Create))
        {
            Write(package, "Microsoft.ML.OnnxRuntime.nuspec",
                """<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata><id>Microsoft.ML.OnnxRuntime</id><version>1.30.0</version><authors>a</authors><description>a</description></metadata></package>""");
            foreach (var (system, library) in new[] { ("linux-x64", "libonnxruntime.so"), ("linux-arm64", "libonnxruntime.so"), ("win-x64", "onnxruntime.dll"),
                ("osx-arm64", "libonnxruntime.dylib") })
                Write(package, $"runtimes/{system}/native/{library}", "none");
        }
        project.Build().Failed().Says("App.csproj : error MDLB3021").Says("1.30.0")
            .Says($"""<PackageReference Include="Microsoft.ML.OnnxRuntime" Version="{Repository.Metadata("OnnxRuntimeVersion")}" />""");
        // Where the user says that it fits, the app tells by a code that it does not.
        project.Build("-p:ModelBuildCheckOnnxRuntime=false").Succeeded();
        project.Run().Failed().Says("MDLB3009");

        static void Write(System.IO.Compression.ZipArchive package, string name, string text)
        {
            using var writer = new StreamWriter(package.CreateEntry(name).Open());
            writer.Write(text);
        }
    }

    [Theory]
    [InlineData("missing", "MDLB1001", "does not exist")]
    [InlineData("empty", "MDLB1002", "Fetch or export it again")]
    [InlineData("lfs", "MDLB1003", "git lfs pull")]
    [InlineData("truncated", "MDLB1004", "Fetch or export it again")]
    [InlineData("corrupt", "MDLB1004", "Fetch or export it again")]
    [InlineData("newer", "MDLB1006", "update ModelBuild")]
    public void BadModel(string kind, string code, string fix)
    {
        var whole = OnnxFile.Model(shape: ["batch", 4]);
        var project = new OutsideProject().Write(OutsideProject.OnnxRuntime + "\n" + """<OnnxModel Include="Relu.onnx" />""").Source("");
        if (kind != "missing")
            project.Bytes("Relu.onnx", kind switch
            {
                "empty" => [],
                "lfs" => Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
                "truncated" => whole[..(whole.Length / 2)],
                "corrupt" => Encoding.ASCII.GetBytes("<html>404</html>"),
                _ => OnnxFile.Model(ir: 99),
            });
        AssertFails(project, "Relu.onnx", code, fix);
    }

    [Theory]
    [InlineData("Profile=\"x64-avx22\"", "MDLB0020", "Did you mean \"x64-avx2\"?")]
    [InlineData("Optimize=\"sizes\"", "MDLB0001", "Did you mean \"size\"?")]
    [InlineData("MaxAccuracyLoss=\"1%\"", "MDLB0002", "0.01")]
    [InlineData("CalibrationData=\"nowhere.npz\"", "MDLB0041", "nowhere.npz")]
    [InlineData("Technique=\"int9\"", "MDLB0030", "did you mean 'int8'?")]
    [InlineData("Technique=\"int8(mes)\"", "MDLB0032", "mse")]
    [InlineData("Metric=\"cosin\"", "MDLB0011", "did you mean 'cosine'?")]
    [InlineData("MetricOutputs=\"z\"", "MDLB0012", "there are y")]
    public void BadMetadata(string metadata, string code, string fix) =>
        AssertFails(new OutsideProject().Write(OutsideProject.OnnxRuntime + "\n" + $"""<OnnxModel Include="Relu.onnx" {metadata} />""").Model().Source(""),
            "Relu.onnx", code, fix);

    [Theory]
    [Trait("Tier", "Ci")]
    [InlineData("empty", "MDLB1110", "It is empty: fetch or write it again")]
    [InlineData("lfs", "MDLB1110", "git lfs pull")]
    [InlineData("truncated", "MDLB1110", "Fetch or write it again")]
    [InlineData("corrupt", "MDLB1110", "Fetch or write it again")]
    [InlineData("othermodel", "MDLB1115", "does not fit the model's input")]
    public void BadData(string kind, string code, string fix)
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + "\n" + """<OnnxModel Include="Models/digits.onnx" CalibrationData="Models/calibration.npz" />""")
            .Sample("digits.onnx").Sample("calibration.npz").Source("");
        var whole = File.ReadAllBytes(Path.Combine(project.Folder, "Models", "calibration.npz"));
        project.Bytes("Models/calibration.npz", kind switch
        {
            "empty" => [],
            "lfs" => Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
            "truncated" => whole[..(whole.Length / 2)],
            "corrupt" => [.. whole[..1000], .. new byte[1000], .. whole[2000..]],
            _ => whole,
        });
        if (kind == "othermodel")
            project.Bytes("Models/digits.onnx", OnnxFile.Model(shape: ["batch", 4]));
        AssertFails(project, "Models/digits.onnx", code, fix);
    }

    [Fact]
    public void OfTwoItemsOfOneFileTheWrongOneIsNamed()
    {
        var project = new OutsideProject().Write(OutsideProject.OnnxRuntime + "\n" + """
            <OnnxModel Include="Relu.onnx" Technique="none" />
            <OnnxModel Include="./Relu.onnx" ClassName="Other" Technique="int9" />
            """).Model().Source("");
        var result = project.Build().Failed().Says($"{project.ProjectFile}({project.LineOf("./Relu.onnx")},").Says("error MDLB0030").DoesNotSay("MDLB2092");
        Assert.DoesNotContain($"{project.ProjectFile}({project.LineOf("Relu.onnx")},", result.Output);
    }

    [Fact]
    public void NativeOnnxRuntimeIsMissing()
    {
        var project = new OutsideProject()
            .Write($"""<PackageReference Include="ModelBuild.OnnxRuntime" Version="{Packages.Version}" /><OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model().Source("");
        project.Build().Failed().Says("error MDLB3020").Says("dotnet add package Microsoft.ML.OnnxRuntime");
    }

    [Fact]
    public void OlderTargetFramework()
    {
        var project = new OutsideProject().Write("""<OnnxModel Include="Relu.onnx" />""", outputType: "Library").Model().Source("", "Empty.cs");
        File.WriteAllText(project.ProjectFile, File.ReadAllText(project.ProjectFile).Replace("<TargetFramework>net10.0", "<TargetFramework>netstandard2.0",
            StringComparison.Ordinal));
        project.Build().Failed().Says("error MDLB0046");
    }

    [Fact]
    public void AnErrorAfterASuccessfulBuildDoesNotLookLikeSuccess()
    {
        var project = new OutsideProject().Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""").Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        project.Bytes("Relu.onnx", [1, 2, 3]);
        project.Build().Failed().Says("MDLB1004");
        project.Build().Failed().Says("MDLB1004");
    }

    private static void AssertFails(OutsideProject project, string include, string code, string fix)
    {
        var result = project.Build().Failed();
        var line = result.Output.Split('\n').First(text => text.Contains($"error {code}", StringComparison.Ordinal));
        Assert.StartsWith($"{project.ProjectFile}({project.LineOf(include)},", line);
        Assert.Contains(fix, line);
        var made = Path.Combine(project.Obj, "modelbuild", "out");
        Assert.Empty(Directory.Exists(made) ? Directory.GetFileSystemEntries(made) : []);
        Assert.False(Directory.Exists(Path.Combine(project.Bin, "modelbuild")));
    }
}
