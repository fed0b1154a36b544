using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Metrics;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Metrics;

public class EvaluationTests
{
    [Fact]
    public void The_worst_output_decides()
    {
        var result = Evaluate([1, 2, 3], [1, 2, 3.1f]);
        Assert.Equal("b", result.Deciding.Output);
        Assert.InRange(result.Deciding.Loss, 0.01, 1);
    }

    [Fact]
    public void A_loss_that_is_no_number_is_the_worst_and_within_no_budget()
    {
        // The spread of an output with an infinite value is no number, and neither is what is measured against it.
        var result = Evaluate([float.PositiveInfinity, 2, 3], [float.PositiveInfinity, 2, 4]);
        Assert.Equal("b", result.Deciding.Output);
        Assert.False(result.Deciding.Loss <= 1e9);
    }

    // Output a is a perfect copy but for a thousandth; b is what is given.
    private static EvaluationResult Evaluate(float[] original, float[] compressed)
    {
        var metric = MetricCatalog.Get("rmse");
        using var reference = new Fixed([1, 2, 3], original);
        using var candidate = new Fixed([1, 2, 3.001f], compressed);
        return Evaluation.Run(new(reference, new OneSample(), ["a", "b"]), candidate, new(metric, ["a", "b"], [], metric.DefaultBudget, ""));
    }

    private sealed class Fixed(float[] a, float[] b) : IModelRunner
    {
        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) => new Dictionary<string, Tensor> { ["a"] = Tensor.Of(a, 1, 3), ["b"] = Tensor.Of(b, 1, 3) };

        public void Dispose()
        {
        }
    }

    private sealed class OneSample : Dataset
    {
        public override int Count => 1;

        public override bool HasLabels => false;

        public override Sample this[int index] => new(new Dictionary<string, Tensor>(), null, new Dictionary<string, Tensor>());
    }
}
