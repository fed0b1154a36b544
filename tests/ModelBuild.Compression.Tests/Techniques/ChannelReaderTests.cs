using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>What a layer is said to lose with channels is what least squares over the others leave.</summary>
public sealed class ChannelReaderTests
{
    private const int Width = 12, Outputs = 5, Rows = 60, Taps = 3;

    [Fact]
    public void What_is_lost_is_what_least_squares_leave()
    {
        var (x, w) = (Nets.Noise(Rows * Width, 1), Nets.Noise(Outputs * Width, 2));
        // One channel is the sum of two others, but for a little.
        for (var r = 0; r < Rows; r++)
            for (var t = 0; t < Taps; t++)
                x[r * Width + Taps + t] = x[r * Width + t] + x[r * Width + 2 * Taps + t] + 0.1f * x[r * Width + Taps + t];
        var moments = new double[Width * Width];
        for (var r = 0; r < Rows; r++)
            for (var i = 0; i < Width; i++)
                for (var j = 0; j < Width; j++)
                    moments[i * Width + j] += (double)x[r * Width + i] * x[r * Width + j];
        float[]? left = null;
        var reader = ChannelReader.OfMoments((float[])w.Clone(), moments, [.. Enumerable.Range(0, Width / Taps).Select(c => new[] { (c * Taps, Taps) })], 1e-9,
            weights =>
            {
                left = weights;
                return new("", 1, Onnx.Tensor.Of(weights, Outputs, Width), null);
            })!;
        var power = Noise(new float[w.Length], x, w);
        var (lost, gone) = (0.0, new List<int>());
        foreach (var channel in (int[])[1, 3])
        {
            lost += reader.Loss(channel);
            reader.Remove(channel);
            gone.Add(channel);
            _ = reader.Changed;
            // The weights that are left lose that much, no others lose less, and those of the channels that are gone are 0.
            Assert.Equal(lost, Noise(left!, x, w) / power, 4);
            Assert.All(gone, c => Assert.All(Enumerable.Range(0, Outputs), o => Assert.Equal([0f, 0f, 0f], left.AsSpan(o * Width + c * Taps, Taps).ToArray())));
            foreach (var i in Enumerable.Range(0, left!.Length).Where(i => !gone.Contains(i % Width / Taps)))
                foreach (var step in (float[])[0.01f, -0.01f])
                {
                    var other = (float[])left.Clone();
                    other[i] += step;
                    Assert.True(Noise(other, x, w) > Noise(left, x, w));
                }
            Assert.Equal(double.PositiveInfinity, reader.Loss(channel));
        }
        // What others can make up for is missed least.
        Assert.True(lost < 0.5);
    }

    private static double Noise(float[] weights, float[] x, float[] w)
    {
        var noise = 0.0;
        for (var r = 0; r < Rows; r++)
            for (var o = 0; o < Outputs; o++)
            {
                var lacking = 0.0;
                for (var i = 0; i < Width; i++)
                    lacking += ((double)w[o * Width + i] - weights[o * Width + i]) * x[r * Width + i];
                noise += lacking * lacking;
            }
        return noise;
    }
}
