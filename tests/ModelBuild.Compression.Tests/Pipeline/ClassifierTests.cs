using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Tests.Pipeline;

/// <summary>Classifiers as scikit-learn's exporter writes them: a label, and a map from label to probability for each row.</summary>
public sealed class ClassifierTests : IDisposable
{
    private const string MachineLearning = "ai.onnx.ml";
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    /// <summary>A linear classifier over four features and three classes, its probabilities behind a ZipMap.</summary>
    private string Classifier(bool strings)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        model.Opsets[MachineLearning] = 1;
        var graph = model.Graph;
        var x = graph.AddInput("float_input", new TensorType(ElementType.Float, [Dimension.Unknown, 4]));
        var classifier = graph.AddNode("LinearClassifier", [x], ["label", "scores"], MachineLearning);
        classifier.Attributes["coefficients"] = Nets.Noise(12, 1).Select(v => 3 * v).ToArray();
        classifier.Attributes["intercepts"] = Nets.Noise(3, 2);
        classifier.Attributes["multi_class"] = 1L;
        classifier.Attributes["post_transform"] = "SOFTMAX";
        var normalized = graph.AddNode("Normalizer", [classifier.Outputs[1]], ["probabilities"], MachineLearning);
        normalized.Attributes["norm"] = "L1";
        var zip = graph.AddNode("ZipMap", [normalized.Output], ["output_probability"], MachineLearning);
        foreach (var node in new[] { classifier, zip })
            if (strings)
                node.Attributes["classlabels_strings"] = new[] { "no", "maybe", "yes" };
            else
                node.Attributes[node == zip ? "classlabels_int64s" : "classlabels_ints"] = new long[] { 10, 20, 30 };
        classifier.Outputs[0].Type = new TensorType(strings ? ElementType.String : ElementType.Int64, [Dimension.Unknown]);
        graph.AddOutput(classifier.Outputs[0]);
        graph.AddOutput(zip.Output);
        return _nets.Write(model);
    }

    /// <summary>What ONNX Runtime's maps say, by class.</summary>
    private static float[][] Maps(string path, float[] inputs, bool strings)
    {
        using var session = new InferenceSession(path);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("float_input", new DenseTensor<float>(inputs, [inputs.Length / 4, 4]))]);
        return [.. results.Single(r => r.Name == "output_probability").AsEnumerable<DisposableNamedOnnxValue>().Select(row => strings
            ? new[] { "no", "maybe", "yes" }.Select(l => row.AsDictionary<string, float>()[l]).ToArray()
            : new[] { 10L, 20, 30 }.Select(l => row.AsDictionary<long, float>()[l]).ToArray())];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_artifact_gives_the_tensor_of_probabilities(bool strings)
    {
        var path = Classifier(strings);
        var data = _nets.Data(("float_input", Tensor.Of(Nets.Noise(60 * 4, 5), 60, 4)));
        foreach (var technique in new[] { "auto", "none" })
        {
            var options = new CompressionOptions { Profiles = [Compression.Profiles.BuiltInProfiles.Get("x64-avx2")], CalibrationData = [data],
                Technique = technique };
            using var compressor = new Compressor(ModelSource.Open(path, options.Shapes), options, ["onnxruntime"], new byte[32],
                new Compression.Techniques.TechniqueRegistry(), _ => { }, default);
            var outcome = compressor.Choose(options.Profiles[0]);
            var inputs = Nets.Noise(5 * 4, 9);
            using var runner = new OnnxRuntimeRunner(outcome.Chosen.Candidate.Artifact.Path);
            var probabilities = runner.Run(new Dictionary<string, Tensor> { ["float_input"] = Tensor.Of(inputs, 5, 4) })["output_probability"];
            Assert.Equal<long>([5, 3], probabilities.Shape);
            var expected = Maps(path, inputs, strings).SelectMany(r => r).ToArray();
            Assert.All(expected.Zip(probabilities.ToArray<float>()), p => Assert.Equal(p.First, p.Second, 6));
            Assert.DoesNotContain(OnnxReader.Read(outcome.Chosen.Candidate.Artifact.Path).Graph.Nodes, n => n.OpType == "ZipMap");
            // The report speaks of the user's file.
            Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))), compressor.Source.Artifact.Sha256);
        }
    }
}
