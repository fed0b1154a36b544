using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Reporting;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>The part of the data that reports is looked at three times, and no more.</summary>
public sealed class LooksTests : IDisposable
{
    private const int Inputs = 32, Outputs = 16;

    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    /// <summary>Half of the inputs have weights that vanish in 8 and in 16 bits: only a sample that uses them tells.</summary>
    private string Model()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, Inputs));
        var noise = Nets.Noise(Inputs * Outputs, 1);
        var weights = noise.Select((n, i) => i < Inputs / 2 * Outputs ? n : n * 1e-8f).ToArray();
        var y = graph.AddNode("MatMul", [x, graph.AddInitializer("w", Tensor.Of(weights, Inputs, Outputs))], ["y"]).Output;
        y.Type = TensorType.Of(ElementType.Float, 1, Outputs);
        graph.AddOutput(y);
        return _nets.Write(model);
    }

    /// <summary>Ordinary samples of the first inputs, and one of the others.</summary>
    private string Samples(int count, int special)
    {
        var x = new float[count * Inputs];
        var noise = Nets.Noise(count * Inputs / 2, 5);
        for (var s = 0; s < count; s++)
            for (var i = 0; i < Inputs / 2; i++)
                x[s * Inputs + i + (s == special ? Inputs / 2 : 0)] = noise[s * Inputs / 2 + i] * (s == special ? 1e9f : 1);
        return _nets.Data(("x", Tensor.Of(x, count, 1, Inputs)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_three_looks_what_is_lossless_ships(bool differs)
    {
        var path = Model();
        var source = ModelSource.Open(path, new Dictionary<string, long>());
        var calibration = Samples(48, -1);
        // The special sample lies in the part that reports.
        var evaluation = Enumerable.Range(0, 48).Select(special => Samples(48, differs ? special : -1))
            .First(f => !differs || DataSplit.Of(null, DataLoader.Open([f], source.Interface, new(), "EvaluationData")).Report!.Samples()
                .Any(s => s.Inputs["x"].Span<float>().ContainsAnyExceptInRange(-2, 2)));
        var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx2")], CalibrationData = [calibration], EvaluationData = [evaluation],
            Optimize = Objective.Size, Metric = "sqnr" };
        using var compressor = new Compressor(source, options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);

        var outcome = compressor.Choose(options.Profiles[0]);

        var report = ReportBuilder.Build(compressor, outcome, new Dictionary<string, double>(), "");
        Assert.Equal(outcome.Looks.Select(l => (l.Candidate.Recipe, l.Held)), report.Looks.Select(l => (l.Technique, l.Held)));
        Assert.True(outcome.Candidates.Count(c => c.Candidate is { IsLossless: false, Failure: null }) > 3);
        if (differs)
        {
            Assert.True(outcome.Chosen.Candidate.IsLossless);
            Assert.Equal([false, false, false], outcome.Looks.Select(l => l.Held));
            Assert.Contains(outcome.Findings, f => f is { Code: "MDLB2024", Severity: Severity.Warning });
            Assert.Contains(outcome.Candidates, c => c.Candidate is { IsLossless: false, Report: null }
                && c.Why.Contains("3 candidates were judged", StringComparison.Ordinal));
        }
        else
        {
            Assert.False(outcome.Chosen.Candidate.IsLossless);
            Assert.Equal([true], outcome.Looks.Select(l => l.Held));
            Assert.DoesNotContain(outcome.Findings, f => f.Code == "MDLB2024");
        }
    }
}
