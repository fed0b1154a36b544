using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Metrics;

/// <summary>What the data proves, through whole compressions of a small classifier.</summary>
public sealed class JudgementTests : IDisposable
{
    private const int Samples = 400;
    private readonly Nets _nets = new();
    private readonly string _model;
    private readonly Tensor _inputs = Tensor.Of(Nets.Noise(Samples * 16, 3), Samples, 16);

    public JudgementTests() => _model = _nets.Softmax();

    public void Dispose() => _nets.Dispose();

    /// <summary>What the original itself answers, by ONNX Runtime.</summary>
    private float[] Answers()
    {
        using var runner = new OnnxRuntimeRunner(_model);
        return runner.Run(new Dictionary<string, Tensor> { ["x"] = _inputs })["p"].ToArray<float>();
    }

    private long[] Decisions() => [.. Answers().Chunk(4).Select(row => (long)Array.IndexOf(row, row.Max()))];

    private ProfileOutcome Compress(string technique, params (string Name, Tensor Array)[] more) =>
        Nets.Compress(_model, _nets.Data([("x", _inputs), .. more]), technique);

    [Fact]
    public void Labels_that_are_all_negative_or_missing_are_an_error()
    {
        foreach (var labels in new[] { Tensor.Vector(Enumerable.Repeat(-1L, Samples).ToArray()), Tensor.Of(Array.Empty<long>(), 0) })
            Assert.Equal("MDLB1130", Assert.Throws<CompressionException>(() => Compress("int8", ("labels", labels))).Code);
    }

    [Fact]
    public void Labels_of_one_class_or_at_chance_do_not_decide()
    {
        // All of the class that the original answers most; and its own answers, but counted from 1.
        var decisions = Decisions();
        var commonest = decisions.CountBy(d => d).MaxBy(c => c.Value).Key;
        foreach (var labels in new[] { decisions.Select(_ => commonest).ToArray(), [.. decisions.Select(d => (d + 1) % 4)] })
        {
            var outcome = Compress("int8", ("labels", Tensor.Vector(labels)));
            Assert.Contains(outcome.Findings, f => f is { Code: "MDLB2020", Severity: Severity.Warning });
            Assert.Equal("regret", outcome.Chosen.Candidate.Report!.Deciding.Metric);
        }
        Assert.DoesNotContain(Compress("int8", ("labels", Tensor.Vector(decisions))).Findings, f => f.Code == "MDLB2020");
    }

    [Fact]
    public void Labels_that_fit_no_output_are_named()
    {
        var outcome = Compress("int8", ("labels", Tensor.Vector(Decisions().Select(d => d + 100).ToArray())));
        Assert.Contains(outcome.Findings, f => f is { Code: "MDLB1131", Severity: Severity.Warning } && f.Text.Contains("103", StringComparison.Ordinal));
    }

    [Fact]
    public void Expected_values_are_what_a_candidate_is_judged_against()
    {
        // The original answers 0.25 everywhere where it is compared with the uniform distribution: its own values are off, and the figure says so.
        var answers = Answers();
        var noisy = answers.Select((v, i) => v + 0.1f * (i % 2 == 0 ? 1 : -1)).ToArray();
        var outcome = Nets.Compress(_model, _nets.Data(("x", _inputs), ("p", Tensor.Of(noisy, Samples, 4))), "int8", o => o with { Metric = "rmse" });
        var judged = outcome.Chosen.Candidate.Report!.Deciding;
        Assert.Equal("rmse", judged.Metric);
        var mean = noisy.Average();
        var expected = 0.1 / Math.Sqrt(noisy.Average(v => (v - mean) * (v - mean)));
        Assert.InRange(judged.Original, expected * 0.9, expected * 1.1);
        Assert.NotEqual(judged.Original, judged.Compressed);
    }

    [Fact]
    public void The_class_of_expected_values_is_where_they_are_largest()
    {
        var outcome = Compress("int8", ("p", Tensor.Of(Answers(), Samples, 4)));
        var top1 = outcome.Chosen.Candidate.Report!.All.Single(r => r.Metric == "top1");
        Assert.Equal(1, top1.Original);
        Assert.DoesNotContain(outcome.Findings, f => f.Code == "MDLB2020");
    }

    [Fact]
    public void Expected_values_that_do_not_fit_are_an_error()
    {
        var nan = Answers();
        nan[5] = float.NaN;
        foreach (var (array, code) in new[]
        {
            (Tensor.Of(new float[Samples * 3], Samples, 3), "MDLB1132"),
            (Tensor.Of(nan, Samples, 4), "MDLB1132"),
            (Tensor.Of(new float[4], 1, 4), "MDLB1114"),
            (new Tensor([Samples], [.. Enumerable.Repeat("a", Samples)]), "MDLB1132"),
        })
            Assert.Equal(code, Assert.Throws<CompressionException>(() => Compress("int8", ("p", array))).Code);
    }

    [Fact]
    public void Expected_values_that_say_nothing_do_not_decide()
    {
        // A regression whose expected values are of another scale.
        var model = _nets.Classifier((graph, scores) =>
        {
            scores.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(4)]);
            graph.AddOutput(scores);
        });
        var data = _nets.Data(("x", _inputs), ("scores", Tensor.Of(Nets.Noise(Samples * 4, 9).Select(v => v * 1000).ToArray(), Samples, 4)));
        var outcome = Nets.Compress(model, data, "int8");
        Assert.Contains(outcome.Findings, f => f.Code == "MDLB2020");
        Assert.Equal(200, outcome.Chosen.Candidate.Report!.Deciding.Original);
    }

    [Fact]
    public void Samples_that_are_no_numbers_are_counted_and_all_of_them_are_an_error()
    {
        var some = _inputs.ToArray<float>();
        foreach (var sample in new[] { 0, 7, 200 })
            some[sample * 16 + 3] = float.NaN;
        var outcome = Nets.Compress(_model, _nets.Data(("x", Tensor.Of(some, Samples, 16))), "int8",
            o => o with { EvaluationData = [_nets.Data(("x", _inputs))] });
        Assert.Contains(outcome.Findings, f => f is { Code: "MDLB1133", Severity: Severity.Warning }
            && f.Text.Contains($"3 of {Samples}", StringComparison.Ordinal));

        var all = Tensor.Of(Enumerable.Repeat(float.NaN, Samples * 16).ToArray(), Samples, 16);
        Assert.Equal("MDLB1133", Assert.Throws<CompressionException>(() => Nets.Compress(_model, _nets.Data(("x", all)), "int8")).Code);
    }

    [Fact]
    public void Answers_that_are_no_numbers_are_an_error_when_all_are()
    {
        var model = _nets.Classifier((graph, scores) =>
        {
            var y = graph.AddNode("Log", [graph.AddNode("Sub",
                [graph.AddNode("Mul", [scores, scores], ["s2"]).Output, graph.AddInitializer("big", Tensor.Scalar(1e6f))], ["d"]).Output], ["y"]).Output;
            y.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(4)]);
            graph.AddOutput(y);
        });
        Assert.Equal("MDLB1133", Assert.Throws<CompressionException>(() => Nets.Compress(model, _nets.Data(("x", _inputs)), "int8")).Code);
    }

    [Fact]
    public void Equal_samples_prove_nothing_and_are_said()
    {
        var zeros = Tensor.Of(new float[Samples * 16], Samples, 16);
        Assert.Contains(Nets.Compress(_model, _nets.Data(("x", zeros)), "int8").Findings, f => f is { Code: "MDLB1134", Severity: Severity.Warning });
        Assert.DoesNotContain(Compress("int8").Findings, f => f.Code == "MDLB1134");
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Answers_that_are_almost_all_alike_prove_little_and_are_said(int every, bool isAlike)
    {
        // Half of the samples, or all but a few of them, are below what the model answers 0 to.
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("n"), Dimension.Of(16)]));
        var product = graph.AddNode("MatMul", [x, graph.AddInitializer("w", Tensor.Of(Nets.Noise(16 * 8, 2).Select(Math.Abs).ToArray(), 16, 8))], ["p"]).Output;
        var y = graph.AddNode("Relu", [product], ["y"]).Output;
        y.Type = new TensorType(ElementType.Float, [Dimension.Named("n"), Dimension.Of(8)]);
        graph.AddOutput(y);
        var values = Nets.Noise(48 * 16, 3).Select((v, i) => isAlike ? (i / 16 == 20 ? 1 : -1) * Math.Abs(v) : i / 16 % every == 0 ? Math.Abs(v) : -Math.Abs(v))
            .ToArray();

        var outcome = Nets.Compress(_nets.Write(model), _nets.Data(("x", Tensor.Of(values, 48, 1, 16))), "auto");

        Assert.Equal(isAlike, outcome.Findings.Any(f => f is { Code: "MDLB1134", Severity: Severity.Warning }));
        Assert.Equal(isAlike, outcome.Candidates.All(c => !c.Candidate.Recipe.Contains("int8", StringComparison.Ordinal)));
    }

    [Fact]
    public void Expected_classes_that_say_nothing_do_not_decide()
    {
        var model = _nets.Classifier((graph, scores) =>
        {
            var best = graph.AddNode("ArgMax", [scores], ["best"]);
            best.Attributes["axis"] = 1L;
            best.Attributes["keepdims"] = 0L;
            best.Output.Type = new TensorType(ElementType.Int64, [Dimension.Named("batch")]);
            graph.AddOutput(best.Output);
        });
        var decisions = Decisions();
        ProfileOutcome With(long[] expected) => Nets.Compress(model, _nets.Data(("x", _inputs), ("best", Tensor.Vector(expected))), "int8");
        foreach (var expected in new[] { Enumerable.Repeat(7L, Samples).ToArray(), [.. decisions.Select(d => (d + 1) % 4)] })
        {
            var outcome = With(expected);
            Assert.Contains(outcome.Findings, f => f is { Code: "MDLB2020", Severity: Severity.Warning }
                && f.Text.Contains("'best'", StringComparison.Ordinal));
            // What it is judged by instead: the original's own decisions.
            Assert.Equal(1, outcome.Chosen.Candidate.Report!.Deciding.Original);
        }
        var right = decisions.Select((d, i) => i % 10 == 0 ? (d + 1) % 4 : d).ToArray();
        var trusted = With(right);
        Assert.DoesNotContain(trusted.Findings, f => f.Code == "MDLB2020");
        Assert.InRange(trusted.Chosen.Candidate.Report!.Deciding.Original, 0.7, 0.99);
    }

    [Theory]
    [InlineData("auto", "regret")]
    [InlineData("top1", "regret")]
    [InlineData("cosine", "cosine")]
    public void What_decides_instead_of_labels_is_what_the_message_says(string metric, string deciding)
    {
        var labels = Tensor.Vector(Enumerable.Repeat(0L, Samples).ToArray());
        var outcome = Nets.Compress(_model, _nets.Data(("x", _inputs), ("labels", labels)), "int8", o => o with { Metric = metric, MaxAccuracyLoss = 1 });
        Assert.Equal(deciding, outcome.Chosen.Candidate.Report!.Deciding.Metric);
        Assert.EndsWith($"rests on {deciding}", Assert.Single(outcome.Findings, f => f.Code == "MDLB2020").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_of_the_calibration_data_are_said_to_be_unused_where_other_data_judges()
    {
        var labelled = ("labels", Tensor.Vector(Decisions()));
        ProfileOutcome With(params (string, Tensor)[] evaluation) =>
            Nets.Compress(_model, _nets.Data(("x", _inputs), labelled), "int8", o => o with { EvaluationData = [_nets.Data([("x", _inputs), .. evaluation])] });
        Assert.Contains(With().Findings, f => f is { Code: "MDLB1131", Severity: Severity.Warning }
            && f.Text.Contains("CalibrationData", StringComparison.Ordinal));
        Assert.DoesNotContain(With(labelled).Findings, f => f.Code == "MDLB1131");
    }

    [Fact]
    public void A_metric_that_misses_labels_names_the_array_that_may_hold_them()
    {
        var error = Assert.Throws<CompressionException>(() => Nets.Compress(_model, _nets.Data(("x", _inputs), ("targets", Tensor.Vector(Decisions()))),
            "int8", o => o with { Metric = "top1" }));
        Assert.Equal("MDLB0013", error.Code);
        Assert.Contains("'targets'", error.Message, StringComparison.Ordinal);
    }

    /// <summary>An attention mask is 0 and minus infinity in every sample, and means it, in whichever part of the data.</summary>
    [Fact]
    public void Infinite_masks_are_no_fault_of_the_data()
    {
        var model = _nets.Classifier((graph, scores) =>
        {
            var mask = graph.AddInput("mask", new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(4)]));
            var p = graph.AddNode("Softmax", [graph.AddNode("Add", [scores, mask], ["masked"]).Output], ["p"]).Output;
            p.Type = mask.Type;
            graph.AddOutput(p);
        });
        var masks = Tensor.Of(Enumerable.Range(0, Samples * 4).Select(i => i % 4 == 1 ? float.NegativeInfinity : 0).ToArray(), Samples, 4);
        Assert.DoesNotContain(Nets.Compress(model, _nets.Data(("x", _inputs), ("mask", masks)), "int8").Findings, f => f.Code == "MDLB1133");
    }

    [Fact]
    public void Samples_that_are_no_numbers_are_counted_over_all_of_the_data()
    {
        var some = _inputs.ToArray<float>();
        for (var sample = 0; sample < Samples; sample += 10)
            some[sample * 16] = float.NaN;
        var findings = Nets.Compress(_model, _nets.Data(("x", Tensor.Of(some, Samples, 16))), "int8").Findings;
        Assert.Single(findings, f => f.Code == "MDLB1133" && f.Text.Contains($"{Samples / 10} of {Samples} samples of CalibrationData",
            StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Where_the_build_fails_nothing_is_said_to_ship(bool isError)
    {
        var outcome = Nets.Compress(_model, _nets.Data(("x", _inputs)), "int8",
            o => o with { Metric = "sqnr", MaxAccuracyLoss = 0, ErrorOnBudgetMiss = isError });
        var finding = Assert.Single(outcome.Findings, f => f.Code == "MDLB2001");
        Assert.Equal(isError ? Severity.Error : Severity.Warning, finding.Severity);
        Assert.Equal(!isError, finding.Text.Contains(" ships", StringComparison.Ordinal));
        Assert.Equal(isError, finding.Text.Contains("OnBudgetMiss=fallback would ship the", StringComparison.Ordinal));
    }
}
