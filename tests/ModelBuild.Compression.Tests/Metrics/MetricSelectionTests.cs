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
        return MetricSelection.Of("auto", [], null, graph, data);
    }

    [Fact]
    public void Labels_are_about_the_output_that_has_a_row_for_each() =>
        Assert.Equal(["scores"], Auto([5], ("state", [2, Dimension.Named("batch"), 128]), ("scores", [Dimension.Named("batch"), 10])).Outputs);

    [Fact]
    public void Labels_at_positions_are_about_scores_at_positions() =>
        Assert.Equal(["logits"], Auto([5, 7], ("pooled", [Dimension.Named("batch"), 10]), ("logits", [Dimension.Named("batch"), Dimension.Named("length"), 10])).Outputs);

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
}
