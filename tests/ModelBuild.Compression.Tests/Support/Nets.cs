using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Support;

/// <summary>Small networks with data, made on the spot.</summary>
internal sealed class Nets : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>The folder of the files.</summary>
    public TemporaryFolder Folder => _folder;

    /// <summary>Numbers from -1 to 1 that are the same every time.</summary>
    public static float[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1))];
    }

    /// <summary>A classifier: x [batch, 16], 32 hidden values, scores of <paramref name="classes"/> classes; what follows is the caller's.</summary>
    /// <param name="finish">Adds what stands behind the scores, and the outputs.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="inputs">The number of inputs.</param>
    public string Classifier(Action<Graph, Value> finish, int classes = 4, int inputs = 16)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(inputs)]));
        var w1 = graph.AddInitializer("w1", Tensor.Of(Noise(inputs * 32, 1), inputs, 32));
        var w2 = graph.AddInitializer("w2", Tensor.Of(Noise(32 * classes, 2), 32, classes));
        var hidden = graph.AddNode("Relu", [graph.AddNode("MatMul", [x, w1], ["h"]).Output], ["hr"]).Output;
        finish(graph, graph.AddNode("MatMul", [hidden, w2], ["scores"]).Output);
        return Write(model);
    }

    /// <summary>A classifier that gives probabilities [batch, 4].</summary>
    public string Softmax() => Classifier((graph, scores) =>
    {
        var p = graph.AddNode("Softmax", [scores], ["p"]).Output;
        p.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(4)]);
        graph.AddOutput(p);
    });

    /// <summary>Writes a model.</summary>
    public string Write(Model model)
    {
        var path = _folder.File($"{Guid.NewGuid():n}.onnx");
        OnnxWriter.Write(model, path);
        return path;
    }

    /// <summary>Writes data.</summary>
    public string Data(params (string Name, Tensor Array)[] arrays)
    {
        var path = _folder.File($"{Guid.NewGuid():n}.npz");
        NpyWriter.WriteNpz(path, arrays.Select(a => KeyValuePair.Create(a.Name, a.Array)));
        return path;
    }

    /// <summary>Compresses for x64-avx2 in ONNX Runtime (or as the options say).</summary>
    public static ProfileOutcome Compress(string model, string calibration, string technique = "auto", Func<CompressionOptions,
        CompressionOptions>? change = null, params string[] backends)
    {
        var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx2")], CalibrationData = [calibration], Technique = technique };
        options = change?.Invoke(options) ?? options;
        using var compressor = new Compressor(ModelSource.Open(model, options.Shapes), options, backends.Length > 0 ? backends : ["onnxruntime"], new byte[32],
            new TechniqueRegistry(), _ => { }, default);
        return compressor.Choose(options.Profiles[0]);
    }

    public void Dispose() => _folder.Dispose();
}
