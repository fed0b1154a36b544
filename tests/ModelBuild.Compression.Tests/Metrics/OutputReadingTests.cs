using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Metrics;

/// <summary>What outputs are, whatever their shape and type, and how they are judged.</summary>
public sealed class OutputReadingTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    private static OutputReading Of(string op, long axis, long opset, params Dimension[] shape)
    {
        var graph = new Model { IrVersion = 8, Opset = opset }.Graph;
        var node = graph.AddNode(op, [graph.AddInput("x", new TensorType(ElementType.Float, [.. shape]))], ["y"]);
        node.Attributes["axis"] = axis;
        node.Output.Type = new TensorType(ElementType.Float, [.. shape]);
        graph.AddOutput(node.Output);
        return OutputReading.Of(node.Output);
    }

    [Fact]
    public void Classes_lie_along_the_axis_of_the_softmax()
    {
        var batch = Dimension.Named("batch");
        Assert.Equal(new(OutputMeaning.Scores, 1), Of("Softmax", 1, 13, batch, 1000, 1, 1));
        Assert.Equal(new(OutputMeaning.Scores, 1), Of("Softmax", 1, 11, batch, 1000, 1, 1));
        Assert.Equal(new(OutputMeaning.Scores, 1), Of("LogSoftmax", 1, 13, batch, 21, 32, 32));
        Assert.Equal(new(OutputMeaning.Scores, 2), Of("Softmax", -1, 13, batch, 7, 10));
        Assert.Equal(new(OutputMeaning.Values), Of("Softmax", 1, 11, batch, 21, 32, 32));
        Assert.Equal(new(OutputMeaning.Values), Of("Softmax", -1, 13, batch, 1));
    }

    [Fact]
    public void Rows_of_classes_are_laid_side_by_side()
    {
        // Two classes, three positions: scores of a position are three values apart.
        var reading = new OutputReading(OutputMeaning.Scores, 1);
        var tensor = Tensor.Of([1f, 2, 3, 10, 20, 30], 1, 2, 3);
        Assert.Equal(new(2, 3), reading.Rows(tensor));
        Assert.Equal([1, 10, 2, 20, 3, 30], reading.Read(tensor).ToArray());
    }

    [Fact]
    public void A_softmax_with_axes_of_one_behind_it_is_judged_as_classes()
    {
        var model = _nets.Classifier((graph, scores) =>
        {
            var spatial = graph.AddNode("Unsqueeze", [scores, graph.AddInitializer("axes", Tensor.Vector(2L, 3))], ["s4"]).Output;
            var softmax = graph.AddNode("Softmax", [spatial], ["p"]);
            softmax.Attributes["axis"] = 1L;
            softmax.Output.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), 4, 1, 1]);
            graph.AddOutput(softmax.Output);
        });
        var outcome = Nets.Compress(model, _nets.Data(("x", Tensor.Of(Nets.Noise(64 * 16, 3), 64, 16))), "int8");
        Assert.Equal("regret", outcome.Chosen.Candidate.Report!.Deciding.Metric);
        Assert.Equal("int8", outcome.Chosen.Candidate.Recipe);
    }

    [Fact]
    public void Labels_are_about_classes_with_axes_of_one_behind_them()
    {
        var graph = new Model { IrVersion = 8, Opset = 17 }.Graph;
        graph.AddOutput(graph.AddValue("y", new TensorType(ElementType.Float, [Dimension.Named("batch"), 1000, 1, 1])));
        var selection = MetricSelection.Of("auto", [], null, graph, new(new([1], 2000, 999, 0), new HashSet<string>(), 2000, "EvaluationData"));
        Assert.Equal(("top1", new OutputReading(OutputMeaning.Scores, 1)), (selection.Deciding.Name, selection.ReadingOf("y")));
    }

    [Fact]
    public void Labels_of_pictures_are_about_the_second_axis()
    {
        var graph = new Model { IrVersion = 8, Opset = 17 }.Graph;
        graph.AddOutput(graph.AddValue("y", new TensorType(ElementType.Float, [Dimension.Named("batch"), 21, 64, 32])));
        var selection = MetricSelection.Of("auto", [], null, graph, new(new([1, 64, 32], 2000, 20, 0), new HashSet<string>(), 2000, "EvaluationData"));
        Assert.Equal(("top1", new OutputReading(OutputMeaning.Scores, 1)), (selection.Deciding.Name, selection.ReadingOf("y")));
    }

    /// <summary>A model whose only output is the class.</summary>
    [Theory]
    [InlineData("auto")]
    [InlineData("int8")]
    public void Decisions_are_judged_by_their_agreement(string technique)
    {
        var model = _nets.Classifier((graph, scores) =>
        {
            var best = graph.AddNode("ArgMax", [scores], ["label"]);
            best.Attributes["axis"] = 1L;
            best.Attributes["keepdims"] = 0L;
            best.Output.Type = new TensorType(ElementType.Int64, [Dimension.Named("batch")]);
            graph.AddOutput(best.Output);
        });
        var outcome = Nets.Compress(model, _nets.Data(("x", Tensor.Of(Nets.Noise(600 * 16, 3), 600, 16))), technique,
            o => o with { Optimize = Objective.Size, MaxAccuracyLoss = 0.1 });
        var judged = outcome.Chosen.Candidate.Report!.Deciding;
        Assert.Equal(("agreement", "label"), (judged.Metric, judged.Output));
        Assert.NotEmpty(outcome.Chosen.Candidate.Plan!.Steps);
        Assert.InRange(judged.Loss, 0, 0.1);
        Assert.Contains(outcome.Candidates, c => c.Candidate.Choose is { Deciding.Samples: 150 });
    }

    /// <summary>Integers that mean themselves: int8 changes some of them, and must not ship.</summary>
    [Fact]
    public void Integers_that_mean_themselves_are_compared_exactly()
    {
        var model = _nets.Classifier((graph, scores) =>
        {
            scores.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(4)]);
            graph.AddOutput(scores);
            var rounded = graph.AddNode("Cast", [graph.AddNode("Mul", [scores, graph.AddInitializer("k", Tensor.Scalar(1000f))], ["m"]).Output], ["code"]);
            rounded.Attributes["to"] = (long)ElementType.Int64;
            rounded.Output.Type = new TensorType(ElementType.Int64, [Dimension.Named("batch"), Dimension.Of(4)]);
            graph.AddOutput(rounded.Output);
        });
        var outcome = Nets.Compress(model, _nets.Data(("x", Tensor.Of(Nets.Noise(64 * 16, 3), 64, 16))), "int8");
        Assert.True(outcome.Chosen.Candidate.IsLossless);
        Assert.Contains(outcome.Candidates, c => c.Candidate.Recipe == "int8" && c.Why.Contains("'code'", StringComparison.Ordinal));
        Assert.Contains(outcome.Findings, f => f.Code == "MDLB2009");
    }
}
