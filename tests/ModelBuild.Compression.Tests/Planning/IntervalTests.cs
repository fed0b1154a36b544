using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>What few samples leave open counts in the decision.</summary>
public sealed class IntervalTests : IDisposable
{
    private const int Inputs = 32, Outputs = 16, Samples = 48;

    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    /// <summary>Half of the inputs have weights that vanish in 8 bits, but not in 16.</summary>
    private string Model()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, Inputs));
        var weights = Nets.Noise(Inputs * Outputs, 1).Select((n, i) => i < Inputs / 2 * Outputs ? n : n * 1e-3f).ToArray();
        var y = graph.AddNode("MatMul", [x, graph.AddInitializer("w", Tensor.Of(weights, Inputs, Outputs))], ["y"]).Output;
        y.Type = TensorType.Of(ElementType.Float, 1, Outputs);
        graph.AddOutput(y);
        return _nets.Write(model);
    }

    /// <summary>Rare samples use the other half of the inputs: in 4 or 8 bits their answers are lost, which is a share of all signal of less than the
    /// budget.</summary>
    private string Data(Func<int, bool> isRare)
    {
        var x = new float[Samples * Inputs];
        var noise = Nets.Noise(Samples * Inputs / 2, 5);
        for (var s = 0; s < Samples; s++)
            for (var i = 0; i < Inputs / 2; i++)
                x[s * Inputs + i + (isRare(s) ? Inputs / 2 : 0)] = noise[s * Inputs / 2 + i] * (isRare(s) ? 300 : 1);
        return _nets.Data(("x", Tensor.Of(x, Samples, 1, Inputs)));
    }

    private static bool IsRare(Sample sample) => sample.Inputs["x"].Span<float>().ContainsAnyExceptInRange(-2, 2);

    private ProfileOutcome Choose(Objective objective, string technique)
    {
        var source = ModelSource.Open(Model(), new Dictionary<string, long>());
        // One rare sample in each part; which samples a part has follows from their number.
        var evaluation = (from first in Enumerable.Range(0, Samples)
                          from second in Enumerable.Range(first + 1, Samples - first - 1)
                          let file = Data(s => s == first || s == second)
                          let split = DataSplit.Of(null, DataLoader.Open([file], source.Interface, new(), "EvaluationData"))
                          where split.Choose!.Samples().Count(IsRare) == 1
                          select file).First();
        var options = new CompressionOptions
        {
            Profiles = [BuiltInProfiles.Get("x64-avx2")],
            CalibrationData = [Data(_ => false)],
            EvaluationData = [evaluation],
            Optimize = objective,
            Metric = "sqnr",
            Technique = technique,
            Measure = false,
        };
        using var compressor = new Compressor(source, options, ["onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);
        return compressor.Choose(options.Profiles[0]);
    }

    [Fact]
    public void A_candidate_with_room_wins_where_it_costs_hardly_more()
    {
        var outcome = Choose(Objective.Latency, "auto");
        var open = outcome.Candidates.First(c => c.Accepted);
        Assert.Contains("weights-int", open.Candidate.Recipe, StringComparison.Ordinal);
        Assert.Equal("weights-float16", outcome.Chosen.Candidate.Recipe);
        Assert.InRange(outcome.Chosen.Latency, 0, open.Latency * 1.1);
        var said = Assert.Single(outcome.Findings, f => f.Code == "MDLB2025");
        Assert.Contains("instead", said.Text, StringComparison.Ordinal);
        Assert.Contains("leave open", open.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Objective.Size, "auto")]
    [InlineData(Objective.Latency, "weights-int8")]
    public void Where_room_costs_more_or_a_technique_was_asked_for_it_ships_and_says_how_many_samples_would_settle_it(Objective objective, string technique)
    {
        var outcome = Choose(objective, technique);
        var loss = outcome.Chosen.Candidate.Report!.Deciding;
        Assert.Contains("weights-int", outcome.Chosen.Candidate.Recipe, StringComparison.Ordinal);
        Assert.InRange(loss.Loss, 0.003, 0.01);
        Assert.InRange(loss.LossHigh, 0.02, 0.1);
        var needed = Math.Ceiling(loss.Samples * Math.Pow((loss.LossHigh - loss.Loss) / (0.02 - loss.Loss), 2));
        Assert.Contains(outcome.Findings, f => f is { Code: "MDLB2025", Severity: Severity.Message }
            && f.Text.Contains($"about {needed} would settle it", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_settled_is_not_mentioned()
    {
        var source = ModelSource.Open(Model(), new Dictionary<string, long>());
        var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx2")], CalibrationData = [Data(_ => false)], Optimize = Objective.Size,
            Metric = "sqnr" };
        using var compressor = new Compressor(source, options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);
        var outcome = compressor.Choose(options.Profiles[0]);
        Assert.False(outcome.Chosen.Candidate.IsLossless);
        Assert.DoesNotContain(outcome.Findings, f => f.Code == "MDLB2025");
    }
}
