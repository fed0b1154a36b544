using System.Globalization;
using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using ModelBuild;

/// <summary>Runs a wrapper and plain ONNX Runtime on the original side by side, one sample at a time, and prints what a test judges.</summary>
static class Checker
{
    /// <param name="name">The folder of the model in the zoo.</param>
    /// <param name="zoo">The zoo.</param>
    /// <param name="shape">The shape of one sample, as the original takes it.</param>
    /// <param name="model">The loaded model.</param>
    /// <param name="predict">The wrapper's answer to one sample: its outputs one after the other.</param>
    /// <param name="data">The folder of the data, where it is another model's.</param>
    public static void Check(string name, string zoo, int[] shape, LoadedModel model, Func<float[], float[][]> predict, string? data = null)
    {
        var original = Path.Combine(zoo, name, "model.onnx");
        var evaluation = Path.Combine(zoo, data ?? name, "evaluation.npz");
        using var session = new InferenceSession(original);
        var input = session.InputMetadata.Keys.Single();
        var values = Npz.Read<float>(evaluation, input);
        var labels = Npz.Has(evaluation, "labels") ? Npz.Read<long>(evaluation, "labels") : null;
        var length = shape.Aggregate(1, (a, b) => a * b);
        var samples = Math.Min(values.Length / length, 1000);
        int right = 0, rightBefore = 0, lost = 0, gained = 0;
        double regret = 0;
        var noise = new double[session.OutputMetadata.Count];
        var signal = new double[noise.Length];
        for (var i = 0; i < samples; i++)
        {
            var sample = values.AsSpan(i * length, length).ToArray();
            using var results = session.Run([NamedOnnxValue.CreateFromTensor(input, new DenseTensor<float>(sample, shape))]);
            var expected = session.OutputMetadata.Keys.Select(output => results.First(result => result.Name == output).AsTensor<float>().ToArray()).ToArray();
            var actual = predict(sample);
            for (var o = 0; o < expected.Length; o++)
                for (var j = 0; j < expected[o].Length; j++)
                {
                    noise[o] += Math.Pow(actual[o][j] - expected[o][j], 2);
                    signal[o] += Math.Pow(expected[o][j], 2);
                }
            if (labels is null)
                continue;
            var (before, after) = (Best(expected[0]), Best(actual[0]));
            var (wasRight, isRight) = (before == labels[i], after == labels[i]);
            (rightBefore, right) = (rightBefore + (wasRight ? 1 : 0), right + (isRight ? 1 : 0));
            (lost, gained) = (lost + (wasRight && !isRight ? 1 : 0), gained + (!wasRight && isRight ? 1 : 0));
            var probabilities = Probabilities(expected[0]);
            regret += probabilities[before] - probabilities[after];
        }
        var file = model.ArtifactPath!;
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
        // The half width of a 95 % interval of the difference of two paired shares.
        var interval = 1.96 * Math.Sqrt(lost + gained) / samples;
        Console.WriteLine(string.Join(' ',
            "CHECK", $"name={name}", $"technique={model.Technique}", $"backend={model.Backend}", $"profile={model.Profile}",
            $"bytes={model.ArtifactBytes}", $"original={new FileInfo(original).Length}",
            $"hash={(hash == model.ArtifactSha256 && hash == model.RecordedSha256 ? "right" : "wrong")}",
            Number("loss", labels is null ? double.NaN : (rightBefore - right) / (double)Math.Max(1, rightBefore)), Number("interval", interval),
                Number("regret", regret / samples),
            Number("noise", noise.Select((n, o) => n / signal[o]).Max()), $"samples={samples}"));
    }

    private static string Number(string name, double value) => string.Create(CultureInfo.InvariantCulture, $"{name}={value:G5}");

    private static int Best(float[] scores) => Array.IndexOf(scores, scores.Max());

    // The scores themselves where they are probabilities already, else their softmax.
    private static double[] Probabilities(float[] scores)
    {
        if (scores.Min() >= 0 && Math.Abs(scores.Sum() - 1) < 1e-3)
            return [.. scores.Select(score => (double)score)];
        var exponentials = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
        return [.. exponentials.Select(e => e / exponentials.Sum())];
    }
}
