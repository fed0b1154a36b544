using ModelBuild.EndToEnd.Tests.Support;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Classifiers of scikit-learn: the class gives the tensor of probabilities and the labels, as ONNX Runtime's maps say of the file.</summary>
[Collection(EndToEndCollection.Name)]
public class ClassifierTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheClassHasProbabilitiesAndLabels(bool strings)
    {
        var type = strings ? "string" : "long";
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Iris.onnx" Technique="none" />""")
            .Bytes("Iris.onnx", ClassifierFile.Linear(strings))
            .Source($$"""
                using App.Models;
                using Microsoft.ML.OnnxRuntime;
                using Microsoft.ML.OnnxRuntime.Tensors;

                float[] x = [0.3f, -1.2f, 0.8f, 0.1f, -0.4f, 0.9f, 1.5f, -2f];
                using var model = Iris.Load();
                Iris.Output output = model.Predict(x, batch: 2);
                IReadOnlyList<{{type}}> labels = Iris.Labels;

                using var session = new InferenceSession("Iris.onnx");
                using var original = session.Run([NamedOnnxValue.CreateFromTensor("float_input", new DenseTensor<float>(x, [2, 4]))]);
                var maps = original.Single(o => o.Name == "probability").AsEnumerable<DisposableNamedOnnxValue>().Select(map => map.AsDictionary<{{type}}, float>()).ToList();
                for (int row = 0; row < 2; row++)
                {
                    for (int c = 0; c < labels.Count; c++)
                        if (Math.Abs(maps[row][labels[c]] - output.Probability[row, c]) > 1e-6)
                            throw new Exception($"{labels[c]}: {maps[row][labels[c]]} and {output.Probability[row, c]}");
                    ({{type}} best, float _) = output.TopK(1, sample: row)[0];
                    if (!best.Equals(maps[row].MaxBy(pair => pair.Value).Key) || !best.Equals(output.Label[row]))
                        throw new Exception($"{best}, {output.Label[row]}");
                }
                Console.WriteLine($"labels {string.Join(" ", labels)}");
                """);
        project.Build().Succeeded();
        project.Run().Succeeded().Says($"labels {(strings ? string.Join(' ', ClassifierFile.Names) : string.Join(' ', ClassifierFile.Numbers))}");
    }
}
