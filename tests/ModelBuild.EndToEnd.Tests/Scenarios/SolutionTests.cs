using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Several projects with the same model, built in parallel by one command: each has its class and its files.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class SolutionTests
{
    private const string Item = """<OnnxModel Include="Relu.onnx" Technique="none" />""";

    [Theory]
    [InlineData("-m")]
    [InlineData("-mt")]
    public void ParallelProjectsDoNotDisturbEachOther(string parallel)
    {
        var libraries = Enumerable.Range(1, 3).Select(i => new OutsideProject($"lib{i}", $"Lib{i}")
            .Write(Item, outputType: "Library").Model()
            .Source($"public static class Facade{i} {{ public static float Run(float x) => Lib{i}.Models.Relu.Load().Predict(new[] {{ x, 0f, 0f, 0f "
                + $"}}).Y[0]; }}", "Facade.cs")).ToList();
        var app = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + Item + string.Concat(libraries.Select(library => $"""<ProjectReference Include="{library.ProjectFile}" />""")))
            .Model()
            .Source("ModelBuild.OnnxRuntimeBackend.Register();\nConsole.WriteLine($\"sum {Facade1.Run(1) + Facade2.Run(2) + Facade3.Run(3) + "
                + "App.Models.Relu.Load().Predict(new float[] { 4, 0, 0, 0 }).Y[0]}\");");
        app.Build(parallel).Succeeded();
        app.Run().Succeeded().Says("sum 10");
        app.Build(parallel, "-question").Succeeded();
    }
}
