using ModelBuild.Compression.Data;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Metrics;

public class MetricSelectionTests
{
    private static MetricSelection Auto(long[] labels, params (string Name, Dimension[] Shape)[] outputs)
    {
        var graph = new Model { IrVersion = 8, Opset = 17 }.Graph;
        foreach (var (name, shape) in outputs)
            graph.AddOutput(graph.AddValue(name, new TensorType(ElementType.Float, [.. shape])));
        var data = new ArrayDataset(new Dictionary<string, NpyArray>
        {
            ["x"] = NpyArray.Of(Arrays.Range(labels[0], 4)),
            ["labels"] = NpyArray.Of(Tensor.Of(new long[Tensor.Count(labels)], labels)),
        }, Arrays.Interface(("x", [-1, 4])), "test.npz", "EvaluationData");
        Assert.True(data.HasLabels);
        return MetricSelection.Of("auto", [], null, graph, KnownTruth.Of(data, "EvaluationData"));
    }

    [Fact]
    public void Labels_are_about_the_output_that_has_a_row_for_each() =>
        Assert.Equal(["scores"], Auto([5], ("state", [2, Dimension.Named("batch"), 128]), ("scores", [Dimension.Named("batch"), 10])).Outputs);

    [Fact]
    public void Labels_at_positions_are_about_scores_at_positions() =>
        Assert.Equal(["logits"], Auto([5, 7], ("pooled", [Dimension.Named("batch"), 10]),
            ("logits", [Dimension.Named("batch"), Dimension.Named("length"), 10])).Outputs);

    [Fact]
    public void Sizes_of_one_before_the_classes_are_no_rows() =>
        Assert.Equal(["scores"], Auto([5], ("scores", [1, 1, 10])).Outputs);

    /// <summary>silero_vad: one probability a sample, labels of 0 and 1, and a recurrent state that is no score of anything.</summary>
    [Fact]
    public void A_recurrent_state_is_not_judged_by_labels()
    {
        var selection = Auto([5], ("output", [Dimension.Named("batch"), 1]), ("stateN", [Dimension.Unknown, Dimension.Unknown, Dimension.Unknown]));
        Assert.Equal("sqnr", selection.Deciding.Name);
        Assert.Equal(["output", "stateN"], selection.Outputs);
    }

    private static Graph Sigmoid(params Dimension[] shape)
    {
        var graph = new Model { IrVersion = 8, Opset = 17 }.Graph;
        var output = graph.AddNode("Sigmoid", [graph.AddInput("x", new TensorType(ElementType.Float, [.. shape]))], ["p"]).Output;
        output.Type = new TensorType(ElementType.Float, [.. shape]);
        graph.AddOutput(output);
        return graph;
    }

    private static KnownTruth Labelled(long count, params long[] labels) => KnownTruth.Of(new ArrayDataset(new Dictionary<string, NpyArray>
    {
        ["x"] = NpyArray.Of(Arrays.Range(count, 4)),
        ["labels"] = NpyArray.Of(Tensor.Of(Enumerable.Range(0, (int)count).Select(i => labels[i % labels.Length]).ToArray(), count)),
    }, Arrays.Interface(("x", [-1, 4])), "test.npz", "EvaluationData"), "EvaluationData");

    [Fact]
    public void A_sigmoid_is_a_score_of_two_classes()
    {
        var selection = MetricSelection.Of("auto", [], null, Sigmoid(Dimension.Named("batch"), 1), Labelled(1000, 0, 1));
        Assert.Equal("top1", selection.Deciding.Name);
        Assert.Equal(OutputMeaning.Probability, selection.ReadingOf("p").Meaning);
        Assert.Equal("f1", MetricSelection.Of("f1", [], null, Sigmoid(Dimension.Named("batch")), Labelled(1000, 0, 1)).Deciding.Name);
    }

    [Fact]
    public void Sigmoids_of_several_classes_are_scores_of_those()
    {
        var selection = MetricSelection.Of("auto", [], null, Sigmoid(Dimension.Named("batch"), 10), Labelled(1000, 0, 1, 9));
        Assert.Equal("top1", selection.Deciding.Name);
        Assert.Equal(OutputMeaning.Scores, selection.ReadingOf("p").Meaning);
    }

    [Fact]
    public void Class_metrics_refuse_an_output_with_one_value_a_row()
    {
        var graph = new Model { IrVersion = 8, Opset = 17 }.Graph;
        graph.AddOutput(graph.AddValue("y", new TensorType(ElementType.Float, [Dimension.Named("batch"), 1])));
        Assert.Equal("MDLB0012", Assert.Throws<CompressionException>(() => MetricSelection.Of("regret", [], null, graph, Labelled(5, 0, 1))).Code);
        var error = Assert.Throws<CompressionException>(() => MetricSelection.Of("top1", [], null, graph, Labelled(5, 0, 1)));
        Assert.Equal("MDLB0013", error.Code);
        Assert.Contains("none of the judged outputs", error.Message, StringComparison.Ordinal);
    }
}
