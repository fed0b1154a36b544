using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
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
        var folder = WorkingFolder.CreateTemporary();
        try
        {
            using var options = OnnxRuntimeRunner.Options(threads);
            // The prefix counts only if it is set first.
            options.ProfileOutputPathPrefix = Path.Combine(folder.FullName, "p");
            options.EnableProfiling = true;
            options.OptimizedModelFilePath = Path.Combine(folder.FullName, "optimized.onnx");
            string profile;
            Dictionary<string, Node> kernels;
            using (var runner = new OnnxRuntimeRunner(model, options))
            {
                kernels = OnnxReader.Read(options.OptimizedModelFilePath).Graph.Nodes.Where(n => n.Name.Length > 0).DistinctBy(n => n.Name)
                    .ToDictionary(n => n.Name, StringComparer.Ordinal);
                for (var i = 0; i < WarmUp + Calls; i++)
                    runner.Run(samples[i % samples.Count].Inputs);
                profile = runner.EndProfiling();
            }
            var durations = new Dictionary<int, List<double>>();
            using var json = JsonDocument.Parse(File.ReadAllBytes(profile));
            foreach (var e in json.RootElement.EnumerateArray())
                if (e.TryGetProperty("cat", out var cat) && cat.GetString() == "Node" && e.GetProperty("name").GetString() is { } name
                    && name.EndsWith("_kernel_time", StringComparison.Ordinal))
                {
                    var kernel = name[..^"_kernel_time".Length];
                    if ((kernels.TryGetValue(kernel, out var optimized) ? MadeOf(model.Graph, optimized) : null) is { } node
                        || (node = BuiltAround(model.Graph, numbers, kernel)) is not null)
                    {
                        if (!durations.TryGetValue(node.Id, out var list))
                            durations.Add(node.Id, list = []);
                        list.Add(e.GetProperty("dur").GetDouble());
                    }
                }
            // Durations are whole microseconds: their mean tells more than their median. One kernel may run several times a call, and several nodes may come
            // from one layer.
            return durations.GroupBy(d => layers[d.Key], StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.Sum(d => d.Value.Skip(d.Value.Count * WarmUp / (WarmUp + Calls)).Sum() / Calls), StringComparer.Ordinal);
        }
        finally
        {
            folder.Delete(true);
        }
    }

    // What a kernel is mostly made of, where several nodes became one: the one that multiplies.
    private static readonly HashSet<string> Products = ["Conv", "ConvTranspose", "Gemm", "MatMul", "MatMulInteger", "LSTM", "GRU", "RNN",
        "DynamicQuantizeLSTM", "MatMulNBits"];

    /// <summary>
    /// The node whose layer a kernel's time belongs to: of all nodes between what the kernel reads and what it gives the one that multiplies, else the last
    /// one. Null where ONNX Runtime gave what the kernel makes another name.
    /// </summary>
    private static Node? MadeOf(Graph graph, Node kernel)
    {
        var reads = kernel.Inputs.OfType<Value>().Select(i => i.Name).ToHashSet(StringComparer.Ordinal);
        if (kernel.Outputs.Where(o => o.Name.Length > 0).Select(o => graph.Find(o.Name)?.Producer).FirstOrDefault(p => p is not null) is not { } last)
            return null;
        var fused = new HashSet<Node> { last };
        var open = new Queue<Node>([last]);
        while (open.TryDequeue(out var node))
            foreach (var input in node.Inputs.OfType<Value>())
                if (!reads.Contains(input.Name) && input.Producer is { } producer && fused.Add(producer))
                    open.Enqueue(producer);
        return fused.FirstOrDefault(n => Products.Contains(n.OpType)) ?? last;
    }

    /// <summary>
    /// The node that a kernel was built around, from the name that ONNX Runtime gave the kernel: the node's own name with something before or after it, or, in
    /// its blocked layout, the name of what the last of the fused nodes gives.
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
