using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>A natively compiled app runs its models on managed kernels, compiled for what the profiles have.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class NativeAotTests
{
    [SkippableFact]
    public void RunsAndUsesTheInstructionSetOfItsProfiles()
    {
        Skip.IfNot(OperatingSystem.IsLinux()
            && System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.X64,
            "the scenario is written for Linux on x64");
        var linker = new[] { "clang", "gcc" }
            .FirstOrDefault(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name))));
        Skip.If(linker is null, "native compilation needs clang or gcc");
        var project = new OutsideProject()
            .Write(Zoo.Item("own_mnist_mlp", "Technique=\"none\""),
                $"<PublishAot>true</PublishAot><InvariantGlobalization>true</InvariantGlobalization><CppCompilerAndLinker>{linker}</CppCompilerAndLinker>")
            .Source("""
                using var model = App.Models.OwnMnistMlp.Load();
                var scores = model.Predict(new float[784]).Logits;
                Console.WriteLine($"backend {model.Untyped.Backend}, {scores.Length} scores, AVX2 {System.Runtime.Intrinsics.X86.Avx2.IsSupported}");
                """);
        project.Command("publish", "-r", "linux-x64", "-o", "published").Succeeded();
        Assert.Contains("--instruction-set:x86-64-v3",
            File.ReadAllText(Directory.GetFiles(project.Folder, "App.ilc.rsp", SearchOption.AllDirectories).Single()));
        DotNet.Start(Path.Combine(project.Folder, "published", "App"), project.Folder).Succeeded().Says("backend managed, 10 scores, AVX2 True");
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(project.Folder, "published"), "*", SearchOption.AllDirectories),
            file => Path.GetFileName(file).Contains("onnxruntime", StringComparison.OrdinalIgnoreCase));
    }

    [SkippableFact]
    public void TakesTheProfilesThatTheJitTakesOnOnnxRuntimeAndShipsNoneThatItNeverRuns()
    {
        Skip.IfNot(OperatingSystem.IsLinux()
            && System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.X64,
            "the scenario is written for Linux on x64");
        var linker = new[] { "clang", "gcc" }
            .FirstOrDefault(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name))));
        Skip.If(linker is null, "native compilation needs clang or gcc");
        const string profiles = "Profile=\"x64-avx512vnni;x64-avx2\" CalibrationData=\"Models/calibration.npz\"";
        var project = new OutsideProject()
            .Write(
                OutsideProject.OnnxRuntime + $"""<OnnxModel Include="Models/digits.onnx" ClassName="Ort" Backend="onnxruntime" {profiles} /><OnnxModel Include="Models/digits.onnx" ClassName="Managed" Backend="managed" {profiles} /><OnnxModel Include="Models/digits.onnx" ClassName="Embedded" Backend="managed" Embed="true" {profiles} />""",
                $"<PublishAot>true</PublishAot><InvariantGlobalization>true</InvariantGlobalization><CppCompilerAndLinker>{linker}</CppCompilerAndLinker>")
            .Sample("digits.onnx").Sample("calibration.npz")
            .Source("""
                using var ort = App.Models.Ort.Load();
                using var managed = App.Models.Managed.Load();
                using var embedded = App.Models.Embedded.Load();
                Console.WriteLine($"profiles {ort.Untyped.Profile} {managed.Untyped.Profile} {embedded.Untyped.Profile}");
                """);
        project.Build().Succeeded();
        var jit = project.Run().Succeeded().Output.Split('\n').Single(line => line.StartsWith("profiles ", StringComparison.Ordinal)).Split(' ')[1];
        project.Command("publish", "-r", "linux-x64", "-o", "published").Succeeded();
        DotNet.Start(Path.Combine(project.Folder, "published", "App"), project.Folder).Succeeded().Says($"profiles {jit} x64-avx2 x64-avx2");
        var published = Directory.GetFiles(Path.Combine(project.Folder, "published", "modelbuild", "App")).Select(Path.GetFileName).ToList();
        Assert.DoesNotContain("Managed.x64-avx512vnni.modelbuild", published);
        Assert.Contains("Managed.x64-avx2.modelbuild", published);
        var app = File.ReadAllBytes(Path.Combine(project.Folder, "published", "App"));
        Assert.True(app.AsSpan().IndexOf(Artifact("Embedded.x64-avx2.modelbuild")) >= 0);
        Assert.True(app.AsSpan().IndexOf(Artifact("Embedded.x64-avx512vnni.modelbuild")) < 0);

        byte[] Artifact(string name) => File.ReadAllBytes(Directory.GetFiles(Path.Combine(project.Folder, "obj"), name, SearchOption.AllDirectories).First());
    }
}
