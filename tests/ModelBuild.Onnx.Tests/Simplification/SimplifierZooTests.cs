using System.Text.Json;
using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>The simplifier on whole models: same answers in ONNX Runtime, same interface, and no more nodes than other simplifiers leave.</summary>
public sealed class SimplifierZooTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Simplified_models_give_the_same_answers_with_fewer_nodes(string name)
    {
        var path = Zoo.PathOf(name);
        var model = OnnxReader.Read(path);
        var inputs = Zoo.Inputs(name, model);
        var expected = OnnxRuntimeSession.Run([], inputs, path);
        var before = Count(model.Graph);
        var declared = Interface(model);

        var watch = System.Diagnostics.Stopwatch.StartNew();
        Simplifier.Run(model);
        var time = watch.ElapsedMilliseconds;

        Assert.Equal(declared, Interface(model));
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        foreach (var (o, value) in expected)
        {
            Assert.True(Zoo.Difference(value, actual[o]) <= 1e-5, $"{o} differs by {Zoo.Difference(value, actual[o]):E1} of its largest value");
        }
        var after = Count(model.Graph);
        var peers = JsonDocument.Parse(File.ReadAllText(Shared.Path("peers/simplify.json"))).RootElement;
        var best = int.MaxValue;
        var line = $"{name,-20} before {before,5} after {after,5}";
        if (peers.TryGetProperty(name, out var peer))
            foreach (var tool in new[] { "onnxsim", "onnxslim" })
                if (peer.TryGetProperty(tool, out var result) && result.TryGetProperty("nodes", out var nodes))
                {
                    line += $" {tool} {nodes.GetInt32(),5}";
                    best = Math.Min(best, nodes.GetInt32());
                }
        output.WriteLine($"{line} {time} ms");
        Assert.True(after <= best, line);
        Assert.All(model.Graph.Nodes, n => Assert.NotEmpty(n.Sources));
    }

    [SkippableTheory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Whatever_models_declare_of_shapes_beyond_their_inputs_changes_no_answer(string name)
    {
        var path = Zoo.PathOf(name);
        var model = OnnxReader.Read(path);
        var inputs = Zoo.Inputs(name, model);
        var declared = model.Graph.Outputs.Select(o => o.Type).ToList();
        Declare(model.Graph);
        // One name for all sizes that are not fixed.
        foreach (var input in model.Graph.Inputs.Where(i => i.Type is { HasRank: true }))
            input.Type = input.Type! with { Shape = [.. input.Type.Shape.Select(d => d.IsConstant ? d : Dimension.Named("size"))] };

        Simplifier.Run(model);

        for (var i = 0; i < declared.Count; i++)
            model.Graph.Outputs[i].Type = declared[i];
        var expected = OnnxRuntimeSession.Run([], inputs, path);
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        Assert.All(expected, e => Assert.InRange(Zoo.Difference(e.Value, actual[e.Key]), 0, 1e-5));
    }

    /// <summary>Declares sizes that are wrong for all that nodes make (but outputs of subgraphs, whose types are written into the file), and for the inputs of
    /// subgraphs.</summary>
    private static void Declare(Graph graph)
    {
        foreach (var value in graph.Nodes.SelectMany(n => n.Outputs).Concat(graph.Parent is null ? [] : graph.Inputs)
            .Where(v => v.NonTensorType is null && !(v.IsGraphOutput && graph.Parent is not null)))
        {
            value.Type = new(value.Type?.ElementType ?? ElementType.Undefined, [.. Enumerable.Repeat(Dimension.Of(3), Math.Max(value.Type?.Rank ?? 2, 1))]);
            value.CarriedType = null;
        }
        foreach (var inner in graph.Nodes.SelectMany(n => n.Attributes.Values).SelectMany(a => a.Graphs))
            Declare(inner);
    }

    private static string Interface(Model model) => string.Join("; ", model.Graph.Inputs.Where(i => i.Constant is null).Select(i => $"{i.Name} {i.Type}"))
        + " -> " + string.Join("; ", model.Graph.Outputs.Select(o => $"{o.Name} {o.Type}"));

    /// <summary>Nodes that are no constants, subgraphs included.</summary>
    private static int Count(Graph graph) => graph.Nodes.Count(n => !n.Is("Constant")) + graph.Nodes.SelectMany(n => n.Attributes.Values)
        .SelectMany(a => a.Graphs).Sum(Count);
}
