using System.Diagnostics;
using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>
/// Mutated models through reading, inference, simplification and writing: every failure must be an error with a code, and nothing may take long.
/// Runs for seconds by default, for longer where MODELBUILD_FUZZ_SECONDS says so.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Seeds = ["hand_keypoint", "mnist8", "own_mnist_lstm", "kws_dscnn", "own_mnist_vit", "stories260k", "silero_vad", "forecast_gru"];

    [SkippableFact]
    public void Mutated_models_give_errors_with_codes()
    {
        var seconds = double.TryParse(Environment.GetEnvironmentVariable("MODELBUILD_FUZZ_SECONDS"), out var s) ? s : 10;
        var seed = seconds > 10 ? Environment.TickCount : 1;
        var random = new Random(seed);
        // Weights make up most of a file, and changing them shows nothing.
        var models = Seeds.Select(n => Trimmed(Zoo.PathOf(n))).ToArray();
        var watch = Stopwatch.StartNew();
        var (runs, read, slowest) = (0, 0, TimeSpan.Zero);
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            var bytes = Mutate((byte[])models[random.Next(models.Length)].Clone(), random);
            var start = watch.Elapsed;
            try
            {
                var model = OnnxReader.Read(bytes);
                read++;
                Simplifier.Run(model);
                OnnxWriter.ToBytes(model);
            }
            catch (OnnxException)
            {
            }
            catch (Exception e)
            {
                var path = Path.Combine(Path.GetTempPath(), $"modelbuild-fuzz-{seed}-{runs}.onnx");
                File.WriteAllBytes(path, bytes);
                Assert.Fail($"seed {seed}, run {runs}, kept as {path}: {e}");
            }
            var time = watch.Elapsed - start;
            slowest = time > slowest ? time : slowest;
            runs++;
        }
        output.WriteLine($"{runs} mutated models, {read} could be read, slowest {slowest.TotalMilliseconds:F0} ms");
        Assert.True(slowest < TimeSpan.FromSeconds(10), $"one took {slowest}");
        Assert.True(read > 0);
    }

    private static byte[] Trimmed(string path)
    {
        var model = OnnxReader.Read(path);
        foreach (var value in model.Graph.Initializers.ToArray())
            if (value.Constant is { Length: > 64 } t)
            {
                // Zeros, shared by all positions: structure and shapes stay.
                value.Constant = new(t.ElementType, t.Shape, new byte[t.Bytes.Length]);
            }
        return OnnxWriter.ToBytes(model);
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            // Among the weights a change is wasted: look for a place that is not surrounded by zeros.
            var at = random.Next(bytes.Length);
            for (var tries = 0; tries < 50 && IsPlain(bytes, at); tries++)
                at = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes[at] = (byte)(bytes[at] + random.Next(-2, 3));
                    break;
                default:
                    var length = Math.Min(random.Next(1, 16), bytes.Length - at);
                    var from = random.Next(bytes.Length - length + 1);
                    bytes.AsSpan(from, length).CopyTo(bytes.AsSpan(at, length));
                    break;
            }
        }
        return bytes;
    }

    private static bool IsPlain(byte[] bytes, int at)
    {
        for (var i = Math.Max(0, at - 8); i < Math.Min(bytes.Length, at + 8); i++)
            if (bytes[i] != 0)
                return false;
        return true;
    }
}
