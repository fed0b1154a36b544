using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// Makes tensors of bodies visible outside, for calibration: a branch of If hands a tensor out, and the other one nothing; Loop carries along what came by,
/// Scan stacks it. What nested bodies hand out is handed on.
/// </summary>
internal static class BodyTensors
{
    /// <summary>Whether a tensor can be handed out. The stacks of Scan need the same sizes in each turn.</summary>
    public static bool CanHandOut(Value value)
    {
        var handedOn = false;
        for (var graph = value.Graph; graph.Parent is not null; graph = graph.Owner.Graph)
        {
            if (graph.Owner is null || !graph.Owner.Is("If") && !graph.Owner.Is("Loop") && !(graph.Owner.Is("Scan") && !handedOn && IsOfOneSize(value)))
                return false;
            handedOn |= !graph.Owner.Is("Scan");
        }
        return true;
    }

    private static bool IsOfOneSize(Value value) => value.Type is { HasRank: true } type && type.Shape.All(static d => !d.IsUnknown);

    /// <summary>A tensor of the main graph that holds all elements that a tensor of a body had in one call; none where no turn came there.</summary>
    /// <param name="value">A float tensor for which <see cref="CanHandOut"/> holds. Its model is changed.</param>
    public static Value HandOut(Value value)
    {
        while (value.Graph.Owner is { } owner)
        {
            value = owner.OpType switch
            {
                "If" => FromBranch(value, owner),
                "Loop" => FromLoop(value, owner),
                _ => FromScan(value, owner),
            };
            value.Type = new(ElementType.Float, default);
        }
        return value;
    }

    private static Value FromBranch(Value value, Node choice)
    {
        GiveCopy(value);
        foreach (var branch in choice.Attributes.Values.SelectMany(static a => a.Graphs).Where(g => !ReferenceEquals(g, value.Graph)))
            branch.AddOutput(Nothing(branch));
        return choice.Graph.AddOutput(choice, value.Name + "_all");
    }

    private static Value FromScan(Value value, Node scan)
    {
        GiveCopy(value);
        foreach (var name in (string[])["scan_output_axes", "scan_output_directions"])
            if (scan.Ints(name) is { } given)
                scan.Attributes[name] = (long[])[.. given, 0];
        return scan.Graph.AddOutput(scan, value.Name + "_all");
    }

    /// <summary>What a loop carries along stands between the condition and what it stacks, so that the node is written anew.</summary>
    private static Value FromLoop(Value value, Node loop)
    {
        var (body, graph, carried) = (value.Graph, loop.Graph, loop.Inputs.Count - 2);
        var before = body.AddInput(body.UniqueName(value.Name + "_before"), new(ElementType.Float, [Dimension.Unknown]));
        var flat = body.AddNode("Reshape", [value, body.AddInitializer("flat", Tensor.Vector(-1L))], [value.Name + "_flat"]);
        var after = body.AddNode("Concat", [before, flat.Output], [value.Name + "_after"]);
        after.Attributes["axis"] = 0L;
        var outputs = body.Outputs.ToList();
        foreach (var output in outputs)
            body.RemoveOutput(output);
        outputs.Insert(1 + carried, after.Output);
        foreach (var output in outputs)
            body.AddOutput(output);

        var names = loop.Outputs.Select(static o => o.Name).ToList();
        // What follows is left out where the node lists no output.
        while (names.Count < carried)
            names.Add("");
        names.Insert(carried, value.Name + "_all");
        var anew = graph.AddNode("Loop", [.. Enumerable.Range(0, carried + 2).Select(loop.Input), Nothing(graph)], names, before: loop);
        foreach (var (name, attribute) in loop.Attributes)
            anew.Attributes.Add(name, attribute);
        for (var i = 0; i < loop.Outputs.Count; i++)
            if (loop.Outputs[i].Name.Length > 0)
            {
                var output = anew.Outputs[i < carried ? i : i + 1];
                output.Type = loop.Outputs[i].Type;
                graph.Replace(loop.Outputs[i], output);
            }
        graph.Remove(loop);
        graph.Sort();
        return anew.Outputs[carried];
    }

    private static void GiveCopy(Value value) => value.Graph.AddOutput(value.Graph.AddNode("Identity", [value], [value.Name + "_out"]).Output);

    private static Value Nothing(Graph graph)
    {
        // A node, since not all runtimes let a branch give an initializer.
        var nothing = graph.AddNode("Constant", [], ["nothing"]);
        nothing.Attributes["value"] = Tensor.Of(Array.Empty<float>(), 0);
        nothing.Output.Type = TensorType.Of(ElementType.Float, 0);
        return nothing.Output;
    }
}
