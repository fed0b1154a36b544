using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>The model that the user gave, as read and as simplified.</summary>
public sealed class ModelSource
{
    private ModelSource(Artifact artifact, Model original, Model? simplified, string? whyNotSimplified, ModelInterface @interface)
    {
        Artifact = artifact;
        Original = original;
        Simplified = simplified;
        WhyNotSimplified = whyNotSimplified;
        Interface = @interface;
        QuantizedOperators = QuantizedParts.Count(original.Graph);
    }

    /// <summary>The file.</summary>
    public string Path => Artifact.Path;

    /// <summary>The file with those that its weights lie in.</summary>
    public Artifact Artifact { get; }

    /// <summary>The graph as read, with inferred types.</summary>
    public Model Original { get; }

    /// <summary>The graph after lossless clean-up, with inferred types; null where an operator stands in the way.</summary>
    public Model? Simplified { get; }

    /// <summary>Why there is no simplified graph, or null.</summary>
    public string? WhyNotSimplified { get; }

    /// <summary>Inputs and outputs under the fixed shapes.</summary>
    public ModelInterface Interface { get; }

    /// <summary>How many operators of the model compute in or store integers already.</summary>
    public int QuantizedOperators { get; }

    /// <summary>The operator set that per-channel QuantizeLinear and DequantizeLinear need.</summary>
    private const long WorkingOpset = 13;

    /// <summary>Reads and simplifies a model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shapes">Named dimensions that are fixed.</param>
    /// <exception cref="OnnxException">The file cannot be read.</exception>
    public static ModelSource Open(string path, IReadOnlyDictionary<string, long> shapes)
    {
        var original = OnnxReader.Read(path);
        var named = Inputs(original).SelectMany(i => i.Type!.Shape.Select(d => d.Name)).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var name in shapes.Keys)
            if (!named.Contains(name))
                throw new CompressionException("MDLB0003", $"Shapes fixes '{name}', which is no named dimension of an input{Suggestion.For(name, named)}; there are {string.Join(", ", named)}", "Shapes");
        string? why = null;
        Model? simplified = null;
        try
        {
            NameDimensions(original);
            var work = original.Clone();
            ShapeInference.Run(original, shapes);
            if (work.Opset < WorkingOpset)
                OpsetConverter.Upgrade(work, WorkingOpset);
            Simplifier.Run(work, new() { FixedDimensions = shapes });
            ShapeInference.Run(work, shapes);
            simplified = work;
        }
        catch (OnnxException e)
        {
            why = e.Message;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A defect here costs what could have been made of the model, not the model.
            why = $"it cannot be simplified ({e.GetType().Name}: {e.Message})";
        }
        return new(Artifact.Of(path), original, simplified, why, ModelInterface.Of((simplified ?? original).Graph));
    }

    private static IEnumerable<Value> Inputs(Model model) => model.Graph.Inputs.Where(i => i.Constant is null && i.Type is { HasRank: true });

    /// <summary>Names the unnamed dimensions of inputs as the signature does (<c>dim0</c>, <c>dim1</c>, ...), so that sizes can be followed from them.</summary>
    private static void NameDimensions(Model model)
    {
        var next = 0;
        foreach (var input in Inputs(model))
            if (input.Type!.Shape.Any(d => d.IsUnknown))
                input.Type = input.Type with { Shape = [.. input.Type.Shape.Select(d => d.IsUnknown ? Dimension.Named($"dim{next++}") : d)] };
    }
}
