using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>Cuts a part out of a model.</summary>
internal static class ModelCut
{
    /// <summary>The part of a model that computes some values from others.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="inputs">What is given, by name, with the type of its elements. Ranks and sizes are not stated, since what models say of inner values is
    /// not believed.</param>
    /// <param name="outputs">What is wanted, by name.</param>
    public static Model Of(Model model, IReadOnlyCollection<(string Name, ElementType Type)> inputs, IReadOnlyCollection<string> outputs)
    {
        var part = model.Clone();
        var graph = part.Graph;
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        foreach (var (name, type) in inputs)
        {
            var made = graph.Find(name)!;
            if (made.IsGraphInput)
                continue;
            graph.Rename(made, graph.UniqueName(name + "_made"));
            graph.Replace(made, graph.AddInput(name, new(type, default)));
        }
        foreach (var name in outputs)
            graph.AddOutput(graph.Find(name)!);
        Sweep.Run(part);
        foreach (var input in graph.Inputs.Where(i => i.IsUnused).ToArray())
            graph.Remove(input);
        return part;
    }
}
