using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Inspection;

/// <summary>Time by layer, from ONNX Runtime's own profile of a few calls.</summary>
internal static class KernelTimes
{
    private const int Calls = 20;

    /// <summary>Microseconds a call by the display name of the model's nodes; nodes fused into others are missing.</summary>
    public static IReadOnlyDictionary<string, double> Of(string path, Dataset samples, int threads)
    {
        var model = OnnxReader.Read(path);
        // Each node is named by a number: what the profile says of it can then be found again.
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in model.Graph.Nodes)
        {
            var number = $"n{node.Id}";
            names.Add(number, node.Sources.IsDefaultOrEmpty ? node.DisplayName : node.Sources[0]);
            node.Name = number;
        }
        var folder = Directory.CreateTempSubdirectory("modelbuild-profile-");
        try
        {
            using var options = OnnxRuntimeRunner.Options(threads);
            // The prefix counts only if it is set first.
            options.ProfileOutputPathPrefix = Path.Combine(folder.FullName, "p");
            options.EnableProfiling = true;
            string profile;
            using (var runner = new OnnxRuntimeRunner(OnnxWriter.ToBytes(model), options))
            {
                for (var i = 0; i < Calls; i++)
                    runner.Run(samples[i % samples.Count].Inputs);
                profile = runner.EndProfiling();
            }
            var calls = new Dictionary<string, List<double>>(StringComparer.Ordinal);
            using var json = JsonDocument.Parse(File.ReadAllBytes(profile));
            foreach (var e in json.RootElement.EnumerateArray())
                if (e.TryGetProperty("cat", out var cat) && cat.GetString() == "Node" && e.GetProperty("name").GetString() is { } name && name.EndsWith("_kernel_time", StringComparison.Ordinal))
                {
                    // A fused node's name starts with that of the node it was built around.
                    var key = name[..^"_kernel_time".Length];
                    var known = names.Keys.Where(k => key == k || key.StartsWith(k + "_", StringComparison.Ordinal)).MaxBy(k => k.Length);
                    if (known is not null)
                    {
                        if (!calls.TryGetValue(known, out var list))
                            calls.Add(known, list = []);
                        list.Add(e.GetProperty("dur").GetDouble());
                    }
                }
            // Medians: the first call of each kernel is far slower than the rest. Several nodes may come from one layer.
            return calls.GroupBy(c => names[c.Key], StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(c => Interleaved.Median(c.Value)), StringComparer.Ordinal);
        }
        finally
        {
            folder.Delete(true);
        }
    }
}
