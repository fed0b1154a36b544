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
        // An output without spread has no unit to measure differences in.
        var result = Evaluate([float.PositiveInfinity, 2, 2], [float.PositiveInfinity, 2, float.NaN]);
        Assert.Equal("b", result.Deciding.Output);
        Assert.False(result.Deciding.Loss <= 1e9);
    }

    [Theory]
    [InlineData("rmse")]
    [InlineData("sqnr")]
    [InlineData("cosine")]
    [InlineData("agreement")]
    [InlineData("regret")]
    public void Answers_that_are_no_numbers_never_count_as_equal(string name)
    {
        // The original answers NaN: there is nothing to compare with, and what was not judged is within no budget.
        var result = Evaluate([float.NaN, float.NaN, float.NaN], [float.NaN, float.NaN, float.NaN], name).All.First(r => r.Output == "b");
        Assert.Equal((double.PositiveInfinity, 0), (result.Loss, result.Samples));
    }

    [Fact]
    public void Values_that_the_original_does_not_know_are_left_out()
    {
        var result = Evaluate([float.NaN, 2, 4], [float.NaN, 2, 4.1f], "sqnr").All.First(r => r.Output == "b");
        Assert.Equal(0.01 / 20, result.Loss, 5);
    }

    // Output a is a perfect copy but for a thousandth; b is what is given.
    private static EvaluationResult Evaluate(float[] original, float[] compressed, string name = "rmse")
    {
        var metric = MetricCatalog.Get(name);
        using var reference = new Fixed([1, 2, 3], original);
        using var candidate = new Fixed([1, 2, 3.001f], compressed);
        return Evaluation.Run(new(reference, new OneSample(), ["a", "b"]), candidate, new(metric, ["a", "b"], [], metric.DefaultBudget, ""));
    }

    private sealed class Fixed(float[] a, float[] b) : IModelRunner
    {
        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) => new Dictionary<string,
            Tensor> { ["a"] = Tensor.Of(a, 1, 3), ["b"] = Tensor.Of(b, 1, 3) };

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
