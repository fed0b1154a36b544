using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Execution;

public class NoisyInputsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Noise_is_half_a_step_of_its_channel_at_most_and_evenly_spread(int axis)
    {
        const int side = 100;
        double[] steps = [1, 0.01, 4];
        long[] shape = axis == 1 ? [1, 3, side, side] : [1, side, side, 3];
        using var noisy = new NoisyInputs(new Echo(), new("x", steps, axis));
        var noise = noisy.Run(new Dictionary<string, Tensor> { ["x"] = Tensor.Of(new float[3 * side * side], shape) })["x"].ToArray<float>();
        for (var c = 0; c < 3; c++)
        {
            var mine = noise.Where((_, i) => (axis == 1 ? i / (side * side) : i % 3) == c).Select(n => n / steps[c]).ToList();
            Assert.InRange(mine.Max(Math.Abs), 0.49, 0.5);
            // An even spread over one step has the variance 1/12.
            Assert.Equal(1.0 / 12, mine.Average(n => n * n), 0.003);
            Assert.Equal(0, mine.Average(), 0.01);
        }
    }

    [Fact]
    public void Every_call_has_noise_of_its_own_and_every_run_the_same()
    {
        float[] Run(NoisyInputs model) => model.Run(new Dictionary<string, Tensor> { ["x"] = Tensor.Of(new float[16], 1, 1, 4, 4) })["x"].ToArray<float>();
        using var first = new NoisyInputs(new Echo(), new("x", [2], 1));
        using var second = new NoisyInputs(new Echo(), new("x", [2], 1));
        var (a, b) = (Run(first), Run(first));
        Assert.NotEqual(a, b);
        Assert.Equal([a, b], new[] { Run(second), Run(second) });
    }

    private sealed class Echo : IModelRunner
    {
        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) => inputs;

        public void Dispose()
        {
        }
    }
}
