using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Quickstart.Models;

// The classes Digits and DigitsOriginal were made by the build from the OnnxModel items of the project file.
using var digits = Digits.Load();
using var original = DigitsOriginal.Load();

Console.WriteLine($"compressed  {digits.Untyped.Technique,-28} {digits.Untyped.ArtifactBytes,9:N0} bytes  {digits.Untyped.Backend}, {digits.Untyped.Profile}");
Console.WriteLine($"original    {original.Untyped.Technique,-28} {original.Untyped.ArtifactBytes,9:N0} bytes  {original.Untyped.Backend}, "
    + $"{original.Untyped.Profile}");

// Two thousand handwritten digits, 28 x 28 pixels each, and what they show.
var images = Read<float>("input.npy");
var labels = Read<long>("labels.npy");
const int pixels = 28 * 28;
var scores = new float[10];

Console.WriteLine($"accuracy    {Accuracy((image, s) => digits.Predict(image, s)):P2} compressed, {Accuracy((image, s) => original.Predict(image, s)):P2} "
    + $"original, {labels.Length} digits");
var (fast, slow) = Time(() => digits.Predict(images.AsSpan(0, pixels), scores), () => original.Predict(images.AsSpan(0, pixels), scores));
Console.WriteLine($"speed       {fast:0.0} µs compressed, {slow:0.0} µs original ({fast / slow:0.00}x), one thread, medians");

foreach (var sample in new[] { 0, 700, 1400 })
{
    var image = images.AsSpan(sample * pixels, pixels);
    digits.Predict(image, scores);
    Console.WriteLine($"\nthis is a {labels[sample]}, the model says {Best(scores)}");
    for (var y = 4; y < 26; y += 2)
        Console.WriteLine(string.Concat(Enumerable.Range(2, 24).Select(x => " .:*#"[(int)Math.Clamp(images[sample * pixels + y * 28 + x] * 5, 0, 4)])));
}

double Accuracy(Action<ReadOnlySpan<float>, Span<float>> predict)
{
    var right = 0;
    for (var i = 0; i < labels.Length; i++)
    {
        predict(images.AsSpan(i * pixels, pixels), scores);
        right += Best(scores) == labels[i] ? 1 : 0;
    }
    return (double)right / labels.Length;
}

static int Best(ReadOnlySpan<float> scores)
{
    var best = 0;
    for (var i = 1; i < scores.Length; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

// Interleaved, so that whatever else the machine does falls on both.
static (double A, double B) Time(Action a, Action b)
{
    var times = (A: new List<double>(), B: new List<double>());
    for (var round = 0; round < 60; round++)
        foreach (var (action, list) in new[] { (a, times.A), (b, times.B) })
        {
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < 200; i++)
                action();
            list.Add(clock.Elapsed.TotalMicroseconds / 200);
        }
    return (Median(times.A[10..]), Median(times.B[10..]));
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

// An array of an .npz file: a zip of .npy files, each a header that ends with a line feed, then the numbers.
static T[] Read<T>(string name) where T : unmanaged
{
    using var zip = ZipFile.OpenRead(Path.Combine(AppContext.BaseDirectory, "Models", "evaluation.npz"));
    using var stream = zip.GetEntry(name)!.Open();
    using var bytes = new MemoryStream();
    stream.CopyTo(bytes);
    var data = bytes.ToArray().AsSpan();
    return MemoryMarshal.Cast<byte, T>(data[(10 + BitConverter.ToUInt16(data[8..]))..]).ToArray();
}
