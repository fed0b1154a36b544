using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Inspection;

/// <summary>Time by layer, from ONNX Runtime's own profile of a few calls.</summary>
internal static partial class KernelTimes
{
    private const int WarmUp = 5;
    private const int Calls = 40;

    /// <summary>Microseconds a call by the display name of the model's nodes; nodes fused into others are missing.</summary>
    public static IReadOnlyDictionary<string, double> Of(string path, Dataset samples, int threads)
    {
        var model = OnnxReader.Read(path);
        // Each node is named by a number: what the profile says of it can then be found again.
        var layers = new Dictionary<int, string>();
        var numbers = new Dictionary<string, Node>(StringComparer.Ordinal);
        foreach (var node in model.Graph.Nodes)
        {
            layers.Add(node.Id, node.Sources.IsDefaultOrEmpty ? node.DisplayName : node.Sources[0]);
            node.Name = $"n{node.Id}";
            numbers.Add(node.Name, node);
        }
        var folder = Directory.CreateTempSubdirectory("modelbuild-profile-");
        try
        {
            using var options = OnnxRuntimeRunner.Options(threads);
            // The prefix counts only if it is set first.
            options.ProfileOutputPathPrefix = Path.Combine(folder.FullName, "p");
            options.EnableProfiling = true;
            string profile;
            using (var runner = new OnnxRuntimeRunner(model, options))
            {
                for (var i = 0; i < WarmUp + Calls; i++)
                    runner.Run(samples[i % samples.Count].Inputs);
                profile = runner.EndProfiling();
            }
            var durations = new Dictionary<int, List<double>>();
            using var json = JsonDocument.Parse(File.ReadAllBytes(profile));
            foreach (var e in json.RootElement.EnumerateArray())
                if (e.TryGetProperty("cat", out var cat) && cat.GetString() == "Node" && e.GetProperty("name").GetString() is { } name && name.EndsWith("_kernel_time", StringComparison.Ordinal))
                {
                    if (BuiltAround(model.Graph, numbers, name[..^"_kernel_time".Length]) is { } node)
                    {
                        if (!durations.TryGetValue(node.Id, out var list))
                            durations.Add(node.Id, list = []);
                        list.Add(e.GetProperty("dur").GetDouble());
                    }
                }
            // Durations are whole microseconds: their mean tells more than their median. One kernel may run several times a call, and several nodes may come from one layer.
            return durations.GroupBy(d => layers[d.Key], StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(d => d.Value.Skip(d.Value.Count * WarmUp / (WarmUp + Calls)).Sum() / Calls), StringComparer.Ordinal);
        }
        finally
        {
            folder.Delete(true);
        }
    }

    /// <summary>
    /// The node that a kernel was built around, from the name that ONNX Runtime gave the kernel: the node's own name with something before or after it, or, in its blocked layout, the name of
    /// what the last of the fused nodes gives.
    /// </summary>
    private static Node? BuiltAround(Graph graph, Dictionary<string, Node> numbers, string kernel)
    {
        if (kernel.EndsWith(Blocked, StringComparison.Ordinal) && graph.Find(kernel[..^Blocked.Length])?.Producer is { } last)
        {
            var node = last;
            while (node is not null && Fused.Contains(node.OpType))
                node = node.Inputs.Select(i => i?.Producer).FirstOrDefault(p => p?.Output.OnlyUser == node);
            return node is not null && node.Is("Conv") ? node : last;
        }
        return NodeNumber().Matches(kernel).Select(m => numbers.GetValueOrDefault(m.Value)).FirstOrDefault(n => n is not null);
    }

    private const string Blocked = "_nchwc";

    // What ONNX Runtime fuses into a convolution in front of it.
    private static readonly HashSet<string> Fused = ["Add", "BatchNormalization", "Clip", "HardSigmoid", "LeakyRelu", "Relu", "Sigmoid", "Tanh"];

    [GeneratedRegex("(?<![A-Za-z0-9])n[0-9]+(?![0-9])")]
    private static partial Regex NodeNumber();
}
