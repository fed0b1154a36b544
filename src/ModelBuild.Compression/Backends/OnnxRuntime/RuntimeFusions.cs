using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Writes as ONNX Runtime's own operators what its optimizer recognises in a float graph and no longer in a quantized one: it gives every reader of a
/// dequantized value a DequantizeLinear of its own before it looks for patterns, so that a pattern that reads one value twice falls apart.
/// </summary>
internal static class RuntimeFusions
{
    private const string Microsoft = "com.microsoft";

    /// <summary>Rewrites x · sigmoid(x) of dequantized values to QuickGelu.</summary>
    /// <param name="model">A model for ONNX Runtime; changed in place.</param>
    public static void Apply(Model model)
    {
        foreach (var graph in model.Graphs)
            Apply(graph);
    }

    private static void Apply(Graph graph)
    {
        var model = graph.Model;
        foreach (var product in graph.Nodes.Where(n => n.Is("Mul")).ToArray())
            if (Sigmoid(product, 0) is { } x || (x = Sigmoid(product, 1)) is not null)
            {
                model.Opsets.TryAdd(Microsoft, 1);
                var fused = graph.AddNode("QuickGelu", [x], [product.Output.Name + "_silu"], Microsoft, before: product);
                fused.Attributes["alpha"] = 1f;
                fused.Name = product.Name;
                fused.Sources = product.Sources;
                fused.Output.Type = product.Output.Type;
                var sigmoid = product.Inputs.First(i => i!.Producer!.Is("Sigmoid"))!.Producer!;
                graph.Replace(product.Output, fused.Output);
                graph.Remove(product);
                graph.Remove(sigmoid);
            }
    }

    /// <summary>The dequantized x, where a Mul multiplies x, its input of the given number, by sigmoid(x), which nothing else reads.</summary>
    private static Value? Sigmoid(Node product, int index) =>
        product.Inputs[index] is { Producer.OpType: "DequantizeLinear" } x && product.Inputs[1 - index] is { Producer: { } sigmoid } s && sigmoid.Is("Sigmoid")
            && ReferenceEquals(sigmoid.Input(0), x)
            && ReferenceEquals(s.OnlyUser, product) ? x : null;
}
