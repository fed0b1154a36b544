using System.Text.Json.Nodes;
using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>What one machine chose, another applies without data, to the same bytes.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class LockFileTests
{
    private const string Item = """<OnnxModel Include="Models/digits.onnx" CalibrationData="Models/calibration.npz" Technique="int8(mse)+weights-int8" Profile="x64-avx2;portable" />""";

    private const string Locked = "-p:ModelBuildLockedMode=true";

    private static OutsideProject Project(string properties = "") => new OutsideProject()
        .Write(OutsideProject.OnnxRuntime + Item, properties)
        .Sample("digits.onnx").Sample("calibration.npz")
        .Source("using var model = App.Models.Digits.Load(); Console.WriteLine(model.Untyped.Profile);");

    private static string LockOf(OutsideProject project) => Path.Combine(project.Folder, "Models", "digits.modelbuild.lock.json");

    private static Dictionary<string, byte[]> Artifacts(OutsideProject project) =>
        Directory.GetFiles(project.Models(), "Digits.*").Where(f => !f.EndsWith("report.html", StringComparison.Ordinal))
            .ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes);

    [Fact]
    public void TheSameBytesComeOutWithoutDataOnAnotherMachine()
    {
        var first = Project("<ModelBuildLockFile>true</ModelBuildLockFile>");
        first.Build().Succeeded();
        var locked = File.ReadAllText(LockOf(first));
        Assert.Contains("\"technique\": \"int8(mse)", locked, StringComparison.Ordinal);
        Assert.DoesNotContain(first.Folder, locked, StringComparison.Ordinal);
        // A second build costs nothing; a deleted lock file comes back, from the cache.
        first.Build("-question").Succeeded();
        File.Delete(LockOf(first));
        first.Build().Succeeded();
        Assert.Equal(locked, File.ReadAllText(LockOf(first)));
        first.Build("-question").Succeeded();

        // Another clone with another cache, and no data.
        var second = Project();
        File.Delete(Path.Combine(second.Folder, "Models", "calibration.npz"));
        File.Copy(LockOf(first), LockOf(second));
        var cache = $"-p:ModelBuildCachePath={Path.Combine(second.Folder, "cache")}";
        second.Build(Locked, cache).Succeeded().Says("as locked");
        Assert.Equal(Artifacts(first), Artifacts(second));
        Assert.Equal(locked, File.ReadAllText(LockOf(second)));
        second.Run().Succeeded();
        second.Build("-question", Locked, cache).Succeeded();
    }

    /// <summary>What repairs found out by data is in the plan, larger tensors beside it.</summary>
    [Fact]
    public void RepairsAreAppliedWithoutDataToo()
    {
        OutsideProject Repaired(string properties = "") => Project(properties)
            .Write(OutsideProject.OnnxRuntime + Item.Replace("int8(mse)+weights-int8", "int8(mse)+weights-int8+bias-correction", StringComparison.Ordinal), properties);
        var first = Repaired("<ModelBuildLockFile>true</ModelBuildLockFile>");
        first.Build().Succeeded();
        Assert.Contains("\"biases\"", File.ReadAllText(LockOf(first)), StringComparison.Ordinal);
        var second = Repaired();
        File.Delete(Path.Combine(second.Folder, "Models", "calibration.npz"));
        foreach (var file in Directory.GetFiles(Path.Combine(first.Folder, "Models"), "digits.modelbuild.lock.*"))
            File.Copy(file, Path.Combine(second.Folder, "Models", Path.GetFileName(file)));
        second.Build(Locked, $"-p:ModelBuildCachePath={Path.Combine(second.Folder, "cache")}").Succeeded().Says("as locked");
        Assert.Equal(Artifacts(first), Artifacts(second));
        second.Run().Succeeded();
    }

    [Fact]
    public void WhatDiffersIsRefusedByName()
    {
        var project = Project();
        project.Build(Locked).Failed().Says("MDLB2040");
        project.Build("-p:ModelBuildLockFile=true").Succeeded();
        project.Build(Locked).Succeeded();
        var text = File.ReadAllText(LockOf(project));

        // A figure of the plan that somebody changed.
        var json = JsonNode.Parse(text)!;
        var profile = json["models"]!["App/Digits"]!["profiles"]![0]!;
        profile["plan"]!["steps"]![0]!["plan"]!["tensors"]!.AsObject().First().Value!["scale"] = 0.5;
        File.WriteAllText(LockOf(project), json.ToJsonString());
        project.Build(Locked).Failed().Says("MDLB2041").Says("int8(mse)");

        File.WriteAllText(LockOf(project), text[..(text.Length / 2)]);
        project.Build(Locked).Failed().Says("MDLB2042");
        // A file that cannot be read is not overwritten either.
        project.Build("-p:ModelBuildLockFile=true").Failed().Says("MDLB2042");

        File.WriteAllText(LockOf(project), text);
        project.Build(Locked).Succeeded();
        project.Write(OutsideProject.OnnxRuntime + Item.Replace("portable", "x64-avxvnni", StringComparison.Ordinal));
        project.Build(Locked).Failed().Says("MDLB2041").Says("x64-avxvnni");
        project.Write(OutsideProject.OnnxRuntime + Item.Replace("int8(mse)", "int8", StringComparison.Ordinal));
        project.Build(Locked).Failed().Says("MDLB2041").Says("Technique");
        project.Write(OutsideProject.OnnxRuntime + Item);
        project.Bytes("Models/digits.onnx", [.. File.ReadAllBytes(Path.Combine(project.Folder, "Models", "digits.onnx")), 0x3A, 0x00]);
        project.Build(Locked).Failed().Says("MDLB2041").Says("another file");
    }
}
