using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Lowering;

/// <summary>Real models in float on the managed backend answer as ONNX Runtime does, on samples of their own data. Where the two differ by more than the
/// tolerance, which on this zoo they do where ONNX Runtime's sigmoid ends (yunet) and where both err to opposite sides (mlsd_tiny), the interpreter, which
/// sums in double, decides.</summary>
public sealed class ManagedZooTests(ITestOutputHelper output) : IDisposable
{
    // Of the largest answer: sums in another order, and Winograd's transforms.
    private const double Tolerance = 1e-4;
    // ONNX Runtime rounds to binary16 after each operator, the managed backend at the end.
    private const double HalfTolerance = 1e-3;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("autoencoder")]
    [InlineData("cifar_resnet20")]
    [InlineData("dtln_2")]
    [InlineData("g2p_gru")]
    [InlineData("hand_keypoint")]
    [InlineData("kws_dscnn")]
    [InlineData("own_mnist_cnn_bn")]
    [InlineData("own_mnist_lstm")]
    [InlineData("own_mnist_mlp")]
    [InlineData("own_mnist_vit")]
    [InlineData("silero_vad")]
    public void Small_models_answer_as_in_onnx_runtime(string name) => Check(name);

    [SkippableTheory]
    [Trait("Tier", "Ci")]
    [InlineData("blazeface")]
    [InlineData("burn_mnist")]
    [InlineData("dtln_1")]
    [InlineData("efficientnet_lite0")]
    [InlineData("forecast_gru")]
    [InlineData("magika_v33")]
    [InlineData("minilm_l3")]
    [InlineData("mlsd_tiny")]
    [InlineData("mnist8")]
    [InlineData("mobilenet_v1_025")]
    [InlineData("mobilenet_v2")]
    [InlineData("nnsplit")]
    [InlineData("own_mnist_cnn")]
    [InlineData("ppocr_cls")]
    [InlineData("ppocr_det")]
    [InlineData("ppocr_rec")]
    [InlineData("resemblyzer")]
    [InlineData("slovorez_fp16")]
    [InlineData("stories260k")]
    [InlineData("ultraface")]
    [InlineData("vww_96")]
    [InlineData("yunet")]
    public void Larger_models_answer_as_in_onnx_runtime(string name) => Check(name);

    [SkippableFact]
    public void What_is_refused_is_named()
    {
        const string name = "digits_forest", op = "TreeEnsembleClassifier";
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var source = ModelSource.Open(ZooModel.Open(name).Model, new Dictionary<string, long>());
        Assert.False(ManagedLowering.TryLower(source.Simplified ?? source.Original, new byte[32], null, out _, out var why));
        Assert.Contains(op, why, StringComparison.Ordinal);
    }

    /// <summary>Another branch than its data take: frames of 8 kHz, which are half as long. Longer ones are refused there, as the program says.</summary>
    [SkippableFact]
    public void A_branch_that_no_sample_takes_answers_as_in_onnx_runtime()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open("silero_vad");
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        Assert.True(ManagedLowering.TryLower(source.Simplified ?? source.Original, new byte[32], null, out var program, out var why), why);
        var path = _folder.File("m.modelbuild");
        File.WriteAllBytes(path, program);
        using var theirs = new OnnxRuntimeRunner(zoo.Model);
        using var ours = new ManagedRunner(path, DescriptionBuilder.Of(source.Original.Graph, new byte[32]));
        Dictionary<string, Tensor> Frame(int length, long rate, int seed) => new(StringComparer.Ordinal)
        {
            ["input"] = Tensor.Of(Nets.Noise(length, seed), [1, length]), ["state"] = Tensor.Of(Nets.Noise(256, seed + 1), [2, 1, 128]),
            ["sr"] = Tensor.Scalar(rate),
        };
        foreach (var frame in new[] { Frame(288, 8000, 1), Frame(576, 16000, 2), Frame(288, 8000, 3) })
        {
            var (expected, actual) = (theirs.Run(frame), ours.Run(frame));
            foreach (var (name, e) in expected)
            {
                Assert.Equal(e.Shape.ToArray(), actual[name].Shape.ToArray());
                Assert.Null(Difference(e.ToArray<float>(), actual[name].ToArray<float>(), Tolerance));
            }
        }
        Assert.Contains("cannot run with these dimensions", Assert.Throws<ArgumentException>(() => ours.Run(Frame(1152, 16000, 4))).Message,
            StringComparison.Ordinal);
    }

    private void Check(string name)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var model = source.Simplified ?? source.Original;
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
        var chosen = ManagedLowering.Choose(model, data);
        Assert.True(ManagedLowering.TryLower(model, new byte[32], chosen, out var program, out var why), why);
        var path = _folder.File("m.modelbuild");
        File.WriteAllBytes(path, program);
        // Weights are stored once and in the bits that they need, whatever kernels make of them at load.
        var original = Directory.GetFiles(Path.GetDirectoryName(zoo.Model)!, "model.onnx*").Sum(file => new FileInfo(file).Length);
        Assert.InRange(program.Length, 1, original * 9 / 8 + 65536);
        using var theirs = new OnnxRuntimeRunner(zoo.Model);
        using var ours = new ManagedRunner(path, DescriptionBuilder.Of(model.Graph, new byte[32]));
        // Two samples, so that a call starts from what another one left in memory.
        for (var i = 0; i < Math.Min(2, data.Count); i++)
        {
            var (expected, actual) = (theirs.Run(data[i].Inputs), ours.Run(data[i].Inputs));
            IReadOnlyDictionary<string, Tensor>? exact = null;
            foreach (var result in source.Original.Graph.Outputs)
            {
                var (e, a) = (expected[result.Name], actual[result.Name]);
                Assert.Equal(e.Shape.ToArray(), a.Shape.ToArray());
                if (e.ElementType == ElementType.Float16)
                {
                    Assert.Null(Difference([.. e.ToArray<Half>().Select(v => (float)v)], [.. a.ToArray<Half>().Select(v => (float)v)], HalfTolerance));
                    continue;
                }
                if (e.ElementType != ElementType.Float)
                {
                    Assert.Equal(e.Bytes.ToArray(), a.Bytes.ToArray());
                    continue;
                }
                if (Difference(e.ToArray<float>(), a.ToArray<float>()) is null)
                    continue;
                exact ??= new Interpreter(source.Original).Run(data[i].Inputs);
                output.WriteLine($"{name}: '{result.Name}' of sample {i} is judged by the interpreter");
                Assert.Null(Difference(exact[result.Name].ToArray<float>(), a.ToArray<float>()));
            }
        }
    }

    /// <summary>The first element that is off by more than the tolerance, or null.</summary>
    private static string? Difference(float[] expected, float[] actual, double tolerance = Tolerance)
    {
        var bound = tolerance * Math.Max(expected.Select(MathF.Abs).DefaultIfEmpty().Max(), 1e-30f);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!expected[i].Equals(actual[i]) && !(Math.Abs((double)expected[i] - actual[i]) <= bound))
                return $"[{i}]: {actual[i]}, not {expected[i]}";
        }
        return null;
    }
}
