using System.Text;
using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>How much is stated of the axes in real models, as their exporters wrote them.</summary>
public sealed class AxisZooTests(ITestOutputHelper output)
{
    /// <summary>Outputs in which the batch of the inputs is not found.</summary>
    private static readonly string[] Lost =
    [
        // All samples' features are put into one axis, and taken apart again.
        "efficientnet_lite0/logits",
        // Sizes that are equal only if a named one is below 10⁹, or even.
        "magika_v33/target_label", "nnsplit/output",
        // One of two branches.
        "silero_vad/output", "silero_vad/stateN",
    ];

    [SkippableFact]
    public void At_most_one_axis_of_twenty_is_unknown()
    {
        Skip.If(!Shared.ZooModels.Any(), "the models of docs/zoo.md are not here");
        var counts = new Dictionary<AxisKind, int>();
        var unknown = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var models = new StringBuilder();
        foreach (var name in Shared.ZooModels)
        {
            var model = OnnxReader.Read(Zoo.PathOf(name));
            FunctionInliner.Run(model);
            var types = ShapeInference.Run(model);
            var (own, open) = (0, 0);
            Visit(model.Graph);
            models.AppendLine($"{name}: {open} of {own}");

            void Visit(Graph graph)
            {
                foreach (var node in graph.Nodes)
                {
                    var map = AxisMap.Of(node, types, model.Opsets.GetValueOrDefault(node.Domain, 1));
                    for (var o = 0; o < node.Outputs.Count; o++)
                        if (node.Outputs[o].Name.Length > 0)
                            // An output of which not even the rank is known counts as one axis.
                            for (var axis = 0; axis < Math.Abs(types.TypeOf(node.Outputs[o])?.Rank ?? -1); axis++)
                            {
                                var kind = map.KindOf(o, axis);
                                counts[kind] = counts.GetValueOrDefault(kind) + 1;
                                own++;
                                if (kind != AxisKind.Unknown)
                                    continue;
                                open++;
                                unknown[node.QualifiedOpType] = unknown.GetValueOrDefault(node.QualifiedOpType) + 1;
                            }
                    foreach (var inner in node.Attributes.Values.SelectMany(static a => a.Graphs))
                        Visit(inner);
                }
            }
        }
        var all = counts.Values.Sum();
        output.WriteLine($"{all} axes: {string.Join(", ", counts.OrderBy(static c => c.Key).Select(static c => $"{c.Key} {c.Value}"))}");
        output.WriteLine($"unknown, by operator: {string.Join(", ", unknown.OrderByDescending(static u => u.Value).Select(static u => $"{u.Key} {u.Value}"))}");
        output.WriteLine(models.ToString());
        Assert.True(counts.GetValueOrDefault(AxisKind.Unknown) <= 0.05 * all, $"{counts.GetValueOrDefault(AxisKind.Unknown)} of {all} axes are unknown");
    }

    /// <summary>The first axis of the inputs, followed through links alone, is found again in the outputs of every model that has a batch.</summary>
    [SkippableFact]
    public void The_batch_axis_is_followed_from_inputs_to_outputs()
    {
        Skip.If(!Shared.ZooModels.Any(), "the models of docs/zoo.md are not here");
        var lost = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var name in Shared.ZooModels)
        {
            var model = OnnxReader.Read(Zoo.PathOf(name));
            FunctionInliner.Run(model);
            var types = ShapeInference.Run(model);
            var batch = model.Graph.Inputs.Where(static v => v.Constant is null && v.Type is { Rank: > 0 }).ToDictionary(static v => v, static _ => 0);
            foreach (var node in model.Graph.Nodes)
                foreach (var link in AxisMap.Of(node, types, model.Opsets.GetValueOrDefault(node.Domain, 1)).Links)
                    if (link.IsPlain && node.Inputs[link.From.At.Index] is { } from && batch.TryGetValue(from, out var axis) && axis == link.From.At.Axis)
                        batch.TryAdd(node.Outputs[link.To.At.Index], link.To.At.Axis);
            foreach (var o in model.Graph.Outputs.Where(o => !batch.ContainsKey(o)))
                lost.Add($"{name}/{o.Name}");
        }
        output.WriteLine($"not found: {string.Join(", ", lost)}");
        Assert.Equal(Lost, lost);
    }
}
