using System.IO.Compression;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Fuzz;

/// <summary>Small models of the zoo and what other tools made of some, their weights set to zero, and the published conformance models, which have every
/// operator of the standard.</summary>
internal static class SeedModels
{
    private static readonly string[] Names =
        ["hand_keypoint", "mnist8", "own_mnist_lstm", "kws_dscnn", "own_mnist_vit", "stories260k", "silero_vad", "forecast_gru", "digits_forest", "nnsplit",
            "yunet", "slovorez_fp16", "g2p_gru"];

    // What other tools made of them: operators with integers, and numbers of 4 bits.
    private static readonly string[] Quantized =
        ["kws_dscnn/ort-dynamic", "own_mnist_cnn_bn/quark-U8S8pc-rr-cle1", "own_mnist_cnn_bn/onnxsim-weight-int4", "mnist8/modelopt-int8-max",
            "own_mnist_lstm/onnxsim-fullqdq-minmax-rr", "stories260k/ort-dynamic"];

    // There are a hundred times as many conformance models as zoo models: these are listed more often, so that both kinds get about as many runs.
    private const int Repeats = 100;

    public static IReadOnlyList<byte[]> Read()
    {
        if (SharedFolder.Zoo is not { } zoo)
            return [];
        var real = Names.Select(n => Path.Combine(zoo, n, "model.onnx")).Concat(Quantized.Select(q => Path.Combine(zoo, "..", "peers", q + ".onnx")))
            .Where(File.Exists).Select(Trimmed).ToList();
        return [.. Enumerable.Repeat(real, Repeats).SelectMany(m => m), .. Conformance(Path.Combine(zoo, "..", "conformance", "onnx-1.23-node.zip"))];
    }

    private static List<byte[]> Conformance(string archive)
    {
        if (!File.Exists(archive))
            return [];
        using var zip = ZipFile.OpenRead(archive);
        var models = new List<byte[]>();
        foreach (var entry in zip.Entries.Where(e => e.Name == "model.onnx"))
        {
            using var stream = entry.Open();
            var bytes = new byte[entry.Length];
            stream.ReadExactly(bytes);
            models.Add(bytes);
        }
        return models;
    }

    // Weights make up most of a file, and changing them shows nothing; structure and shapes stay.
    private static byte[] Trimmed(string path)
    {
        var model = OnnxReader.Read(path);
        foreach (var value in model.Graph.Initializers.ToArray())
            if (value.Constant is { Length: > 64, ElementType: not ElementType.String } t)
                value.SetConstant(new(t.ElementType, t.Shape, new byte[t.Bytes.Length]));
        return OnnxWriter.ToBytes(model);
    }
}
