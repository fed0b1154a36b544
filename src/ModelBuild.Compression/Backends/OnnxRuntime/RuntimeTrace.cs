using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Backends;

/// <summary>A tensor that a kernel reads or gives, as it was in one call.</summary>
/// <param name="Type">The element type as ONNX Runtime names it: float, uint8, int64 and so on.</param>
/// <param name="Shape">The sizes.</param>
public sealed record TracedTensor(string Type, ImmutableArray<long> Shape)
{
    /// <summary>The number of elements.</summary>
    public double Elements { get; } = Shape.Aggregate(1.0, static (n, d) => n * d);

    /// <summary>The size along an axis, from the end where negative; 1 where there is no such axis.</summary>
    public long Along(int axis) => (axis < 0 ? axis + Shape.Length : axis) is var i && i >= 0 && i < Shape.Length ? Shape[i] : 1;
}

/// <summary>A kernel that ran in one call.</summary>
/// <param name="Operator">The operator, without its domain.</param>
/// <param name="Inputs">What it read, left-out inputs excepted.</param>
/// <param name="Outputs">What it gave.</param>
public sealed record TracedKernel(string Operator, ImmutableArray<TracedTensor> Inputs, ImmutableArray<TracedTensor> Outputs)
{
    /// <summary>The node that it ran for, as ONNX Runtime names it after what it fused.</summary>
    public string Node { get; init; } = "";
}

/// <summary>
/// The kernels that ONNX Runtime runs for a model on one sample, after all that it fuses, folds and moves, with the sizes that tensors have then: the bodies of
/// If, Loop and Scan as often as they run.
/// </summary>
public static class RuntimeTrace
{
    /// <summary>
    /// Blocks of channels depend on the CPU of the build, and their sizes with them: convolutions are looked at as they are without.
    /// </summary>
    private const string Blocked = "NchwcTransformer";

    /// <summary>Loops of so many turns are not worth their account: some 200,000 kernels.</summary>
    private const long LargestProfile = 100_000_000;

    /// <summary>Runs a model once and tells which kernels ran.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="inputs">One sample.</param>
    /// <returns>The kernels in the order in which they ran.</returns>
    /// <exception cref="CompressionException">MDLB1120: ONNX Runtime refuses the model.</exception>
    /// <exception cref="InvalidOperationException">So many kernels ran that they are not listed.</exception>
    public static IReadOnlyList<TracedKernel> Of(string path, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var folder = WorkingFolder.CreateTemporary();
        try
        {
            using var options = OnnxRuntimeRunner.Options(1, exactIntegers: false);
            options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL;
            options.AddSessionConfigEntry("optimization.disable_specified_optimizers", Blocked);
            // What is packed beforehand is not listed among what a kernel reads.
            options.AddSessionConfigEntry("session.disable_prepacking", "1");
            // The prefix counts only if it is set first.
            options.ProfileOutputPathPrefix = Path.Combine(folder.FullName, "p");
            options.EnableProfiling = true;
            string profile;
            using (var runner = new OnnxRuntimeRunner(path, options))
            {
                runner.Run(inputs);
                profile = runner.EndProfiling();
            }
            if (new FileInfo(profile).Length > LargestProfile)
                throw new InvalidOperationException($"the profile of one call has more than {LargestProfile} bytes");
            using var json = JsonDocument.Parse(File.ReadAllBytes(profile));
            return [.. json.RootElement.EnumerateArray().Where(IsKernel).Select(KernelOf)];
        }
        finally
        {
            folder.Delete(true);
        }
    }

    private const string KernelTime = "_kernel_time";

    private static bool IsKernel(JsonElement e) => e.TryGetProperty("cat", out var cat) && cat.GetString() == "Node" && e.GetProperty("name")
        .GetString()!.EndsWith(KernelTime, StringComparison.Ordinal);

    private static TracedKernel KernelOf(JsonElement e)
    {
        var facts = e.GetProperty("args");
        return new(facts.GetProperty("op_name").GetString()!, Tensors(facts, "input_type_shape"), Tensors(facts, "output_type_shape"))
        {
            Node = e.GetProperty("name").GetString()![..^KernelTime.Length],
        };
    }

    private static ImmutableArray<TracedTensor> Tensors(JsonElement facts, string name) => !facts.TryGetProperty(name, out var list) ? []
        : [.. list.EnumerateArray().SelectMany(static t => t.EnumerateObject()
            .Select(static p => new TracedTensor(p.Name, [.. p.Value.EnumerateArray().Select(static d => d.GetInt64())])))];
}
