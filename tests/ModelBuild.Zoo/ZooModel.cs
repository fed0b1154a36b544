using System.Text.Json;

namespace ModelBuild.Zoo;

/// <summary>One real model with its data.</summary>
/// <param name="Name">Its folder's name.</param>
/// <param name="Model">The .onnx file.</param>
/// <param name="Calibration">Calibration data.</param>
/// <param name="Evaluation">Evaluation data.</param>
/// <param name="MetricOutputs">The outputs to judge by; empty for all.</param>
public sealed record ZooModel(string Name, string Model, string Calibration, string Evaluation, IReadOnlyList<string> MetricOutputs)
{
    /// <summary>All models; none where the zoo is not there.</summary>
    public static IReadOnlyList<string> All { get; } = SharedFolder.Zoo is null ? []
        : [.. Directory.EnumerateFiles(SharedFolder.Zoo, "model.onnx", SearchOption.AllDirectories).Select(m => Path.GetFileName(Path.GetDirectoryName(m)!))
            .Order(StringComparer.Ordinal)];

    /// <summary>The models that the main job is judged by.</summary>
    public static IReadOnlyList<string> MainJob { get; } =
        ["own_mnist_cnn_bn", "own_mnist_mlp", "own_mnist_lstm", "mnist8", "kws_dscnn", "cifar_resnet20", "autoencoder", "ultraface", "hand_keypoint",
            "mobilenet_v1_025"];

    /// <summary>Those that have layers with weights of 100 KB and more to compress, and that plain techniques compress within budget.</summary>
    public static IReadOnlyList<string> Compressible { get; } =
        ["own_mnist_cnn_bn", "own_mnist_mlp", "own_mnist_lstm", "kws_dscnn", "cifar_resnet20", "autoencoder", "ultraface"];

    /// <summary>A model of the zoo.</summary>
    /// <exception cref="DirectoryNotFoundException">The zoo is not there.</exception>
    public static ZooModel Open(string name)
    {
        var folder = Path.Combine(SharedFolder.Zoo ?? throw new DirectoryNotFoundException("the models of docs/zoo.md"), name);
        using var about = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "about.json")));
        var data = about.RootElement.TryGetProperty("data", out var d) ? Path.GetFullPath(Path.Combine(folder, d.GetString()!)) : folder;
        IReadOnlyList<string> outputs = about.RootElement.TryGetProperty("metricOutput", out var o) ? [o.GetString()!] : [];
        return new(name, Path.Combine(folder, "model.onnx"), Path.Combine(data, "calibration.npz"), Path.Combine(data, "evaluation.npz"), outputs);
    }
}
