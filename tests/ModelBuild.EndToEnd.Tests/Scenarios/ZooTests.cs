using ModelBuild.EndToEnd.Tests.Support;
using Xunit.Abstractions;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Real models through <c>dotnet build</c> of one outside project, judged by that project's own reader, metrics and ONNX Runtime.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class ZooTests(ITestOutputHelper output)
{
    // Name, shape of a sample, and the wrapper's outputs for a sample.
    private static readonly (string Name, string Shape, string Outputs)[] Models =
    [
        ("own_mnist_cnn_bn", "1, 1, 28, 28", "y.Logits.Array"),
        ("own_mnist_mlp", "1, 1, 28, 28", "y.Logits.Array"),
        ("own_mnist_lstm", "1, 1, 28, 28", "y.Logits.Array"),
        ("mnist8", "1, 1, 28, 28", "y.Plus214Output0.Array"),
        ("kws_dscnn", "1, 49, 10, 1", "y.Logits.Array"),
        ("cifar_resnet20", "1, 3, 32, 32", "y.Logits.Array"),
        ("autoencoder", "1, 640", "y.OutputTensor.Array"),
        ("ultraface", "1, 3, 240, 320", "y.Scores.Array, y.Boxes.Array"),
        ("hand_keypoint", "1, 42", "y.OutputTensor.Array"),
    ];

    [SkippableFact]
    public void ModelsShrinkWithinBudget()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + string.Concat(Models.Select(model => Zoo.Item(model.Name, "Optimize=\"size\""))),
                "<TreatWarningsAsErrors>false</TreatWarningsAsErrors>")
            .WithChecker()
            .Source("using App.Models;\nvar zoo = args[0];\n" + string.Concat(Models.Select(model => $$"""
                {
                    using var model = {{Zoo.ClassName(model.Name)}}.Load();
                    Checker.Check("{{model.Name}}", zoo, [{{model.Shape}}], model.Untyped, sample => { var y = model.Predict(sample); return [{{model.Outputs}}]; });
                }

                """)));
        output.WriteLine(project.Build().Succeeded().Output);
        var results = Zoo.Results(project.Run(Repository.Shared("zoo")).Succeeded().Output);
        foreach (var result in results)
            output.WriteLine(result.ToString());
        Assert.Equal(Models.Select(model => model.Name), results.Select(result => result.Name));
        Assert.All(results, result =>
        {
            Assert.True(result.HashIsRight, result.ToString());
            Assert.True(result.IsWithinBudget, result.ToString());
            if (result.OriginalBytes > 100_000)
                Assert.True(result.Technique is not ("none" or "original") && result.Ratio <= 0.36, result.ToString());
        });
    }

    [SkippableFact]
    public void AModelThatInt8SpoilsIsNotSpoilt()
    {
        const string name = "mobilenet_v1_025";
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + Zoo.Item(name, "Technique=\"int8\" Backend=\"onnxruntime\"", data: "mobilenet_v2"),
                "<TreatWarningsAsErrors>false</TreatWarningsAsErrors>")
            .WithChecker()
            .Source($$"""
                using var model = App.Models.{{Zoo.ClassName(name)}}.Load();
                Checker.Check("{{name}}", args[0], [1, 224, 224, 3], model.Untyped, sample => [model.Predict(sample).OutputTensor.Array], data: "mobilenet_v2");
                """);
        var build = project.Build().Succeeded().Says("warning MDLB2");
        output.WriteLine(build.Output);
        var result = Assert.Single(Zoo.Results(project.Run(Repository.Shared("zoo")).Succeeded().Output));
        output.WriteLine(result.ToString());
        Assert.True(result.IsWithinBudget, result.ToString());

        project.Write(OutsideProject.OnnxRuntime + Zoo.Item(name, "Technique=\"int8\" Backend=\"onnxruntime\" OnBudgetMiss=\"error\"",
            data: "mobilenet_v2"));
        project.Build().Failed().Says("error MDLB2");
        Assert.False(Directory.Exists(Path.Combine(project.Obj, "modelbuild", "out", Zoo.ClassName(name))));
    }
}
