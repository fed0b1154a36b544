using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>A model that the managed kernels run needs one package, and the app ships no file of ONNX Runtime.</summary>
[Collection(EndToEndCollection.Name)]
public class OnePackageTests
{
    [SkippableFact]
    public void RunsWithoutOnnxRuntime()
    {
        var project = new OutsideProject()
            .Write(Zoo.Item("own_mnist_mlp", "Optimize=\"size\""), "<TreatWarningsAsErrors>false</TreatWarningsAsErrors>")
            .Source("""
                using var model = App.Models.OwnMnistMlp.Load();
                var images = Npz.Read<float>(args[0], "input");
                var labels = Npz.Read<long>(args[0], "labels");
                float[] scores = new float[10];
                int right = 0;
                for (int i = 0; i < labels.Length; i++)
                {
                    model.Predict(images.AsSpan(i * 784, 784), scores);
                    right += Array.IndexOf(scores, scores.Max()) == labels[i] ? 1 : 0;
                }
                Console.WriteLine($"backend {model.Untyped.Backend}, right {right} of {labels.Length}");
                if (right < 0.94 * labels.Length) Environment.Exit(1);
                """);
        File.Copy(Path.Combine(Repository.Root, "tests", "ModelBuild.EndToEnd.Tests", "Outside", "Npz.cs"), Path.Combine(project.Folder, "Npz.cs"));
        project.Build().Succeeded();
        project.Run(Repository.Shared("zoo", "own_mnist_mlp", "evaluation.npz")).Succeeded().Says("backend managed");
        Assert.DoesNotContain(Directory.GetFiles(project.Bin, "*", SearchOption.AllDirectories),
            file => Path.GetFileName(file).Contains("onnxruntime", StringComparison.OrdinalIgnoreCase));
    }

    [SkippableFact]
    public void AModelThatNeedsOnnxRuntimeSaysSo()
    {
        var project = new OutsideProject().Write("\n" + Zoo.Item("digits_forest", "Technique=\"none\"")).Source("");
        project.Build().Failed()
            .Says($"{project.ProjectFile}({project.LineOf(Repository.Shared("zoo", "digits_forest") + "/model.onnx")},")
            .Says("error MDLB3").Says("dotnet add package ModelBuild.OnnxRuntime").Says("dotnet add package Microsoft.ML.OnnxRuntime");
    }
}
