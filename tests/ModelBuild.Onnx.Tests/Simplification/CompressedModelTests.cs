using Microsoft.ML.OnnxRuntime;
using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>Models that other tools compressed: their integer parts stay what they are, they do not grow, and the answers stay the same.</summary>
public sealed class CompressedModelTests(ITestOutputHelper output)
{
    public static TheoryData<string> Files =>
        [.. (Directory.Exists(Shared.Path("peers")) ? Directory.GetFiles(Shared.Path("peers"), "*.onnx", SearchOption.AllDirectories) : [])
        .Select(f => Path.GetRelativePath(Shared.Path("peers"), f)).Order(StringComparer.Ordinal).DefaultIfEmpty("absent")];

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void Models_of_other_tools_stay_compressed(string file)
    {
        var path = Shared.Path($"peers/{file}");
        var model = OnnxReader.Read(path);
        var inputs = Zoo.Noise(Path.GetDirectoryName(file)!, model);
        if (file == NotToTheStandard)
        {
            Assert.Contains("do not fit axis", Assert.Throws<OnnxException>(() => Simplifier.Run(model)).Message, StringComparison.Ordinal);
            return;
        }
        var before = Integers(model.Graph);
        Simplifier.Run(model);
        var simplified = OnnxWriter.ToBytes(model);
        // What users run: every optimization on, and integers that do not saturate.
        using (var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, IntraOpNumThreads = 1 })
        {
            options.AddSessionConfigEntry("session.x64quantprecision", "1");
            using var session = new InferenceSession(simplified, options);
        }
        var after = Integers(model.Graph);
        output.WriteLine($"{file}: {new FileInfo(path).Length} -> {simplified.Length} bytes, {before} -> {after} bytes of integers");
        // Shared weights are merged (silero_vad's two sample rates); integers become floats nowhere.
        Assert.True(after >= before * 0.95 || file.StartsWith("silero_vad", StringComparison.Ordinal), $"{before} -> {after} bytes of integers");
        Assert.True(file == GrowsByFolding || simplified.Length <= new FileInfo(path).Length * 1.01,
            $"{new FileInfo(path).Length} -> {simplified.Length} bytes");

        var expected = OnnxRuntimeSession.Run([], inputs, path);
        var actual = OnnxRuntimeSession.Run(simplified, inputs);
        // Half-precision models round otherwise where BatchNormalization was folded.
        var tolerance = file.EndsWith("fp16.onnx", StringComparison.Ordinal) ? 0.05 : 1e-5;
        // Sigmoids of ONNX Runtime are off by up to 1e-7, whatever their size.
        foreach (var (name, value) in expected)
            Assert.True(Zoo.Difference(value, actual[name], 0.05) <= tolerance,
                $"{name} differs by {Zoo.Difference(value, actual[name], 0.05):E1} of its largest value");
    }

    // Constants that are computed by a subgraph of scalars in the file.
    private const string GrowsByFolding = "blazeface/ort-fp16.onnx";

    // A scale per channel that does not fit the axis: ONNX Runtime runs the node only where it is fused away.
    private const string NotToTheStandard = "magika_v33/ort-static-minmax-rr-linear.onnx";

    private static long Integers(Graph graph) =>
        graph.Initializers.Where(v => v.Constant is { ElementType: ElementType.Int8 or ElementType.UInt8 or ElementType.Int4 or ElementType.UInt4 })
        .Sum(v => v.Constant!.Bytes.Length)
        + graph.Nodes.SelectMany(n => n.Attributes.Values).SelectMany(a => a.Graphs).Sum(Integers);
}
