using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;
using ModelBuild.Shared;

namespace ModelBuild.Compression.Planning;

/// <summary>The model that the user gave, as read and as simplified.</summary>
public sealed class ModelSource
{
    private ModelSource(Artifact artifact, Model? rewritten, Model original, Model? simplified, Model? asWritten, string? whyNotSimplified,
        ModelInterface @interface)
    {
        Artifact = artifact;
        Rewritten = rewritten;
        Original = original;
        Simplified = simplified;
        SimplifiedAsWritten = asWritten;
        WhyNotSimplified = whyNotSimplified;
        Interface = @interface;
        QuantizedOperators = QuantizedParts.Count(original);
    }

    /// <summary>The file.</summary>
    public string Path => Artifact.Path;

    /// <summary>The file with those that its weights lie in.</summary>
    public Artifact Artifact { get; }

    /// <summary>
    /// What stands for the file where that gives something other than tensors: the same model whose classifier gives its probabilities instead of maps. Null
    /// where the file stands for itself.
    /// </summary>
    public Model? Rewritten { get; }

    /// <summary>The file that ONNX Runtime runs as the original: the user's, or what stands for it.</summary>
    /// <param name="folder">Where that is written.</param>
    public Artifact Runnable(ArtifactFolder folder) => Rewritten is { } rewritten ? folder.Add(rewritten) : Artifact;

    /// <summary>The same as it ships: weights that lie beside the user's file are taken in where one file can hold them, so that an app ships one
    /// file.</summary>
    /// <param name="runnable">That file.</param>
    /// <param name="folder">Where it is written.</param>
    public static Artifact Shippable(Artifact runnable, ArtifactFolder folder) => runnable.DataPaths.Count > 0 ? folder.Add(OnnxReader.Read(runnable.Path))
        : runnable;

    /// <summary>The graph as read (or <see cref="Rewritten"/>), with inferred types.</summary>
    public Model Original { get; }

    /// <summary>The graph after lossless clean-up, with inferred types; null where an operator stands in the way.</summary>
    public Model? Simplified { get; }

    /// <summary>
    /// The same in the operator set of the file, for what needs no newer one: ONNX Runtime fuses attention with a mask up to operator set 12 alone.
    /// </summary>
    public Model? SimplifiedAsWritten { get; }

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
        var rewritten = MapOutputs.Replace(original) ? original.Clone() : null;
        NameDimensions(original);
        var named = Inputs(original).SelectMany(i => i.Type!.Shape.Select(d => d.Name)).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var name in shapes.Keys)
            if (!named.Contains(name))
                throw new CompressionException(Codes.BadShapes,
                    $"Shapes fixes '{name}', which is no named dimension of an input{Suggestion.For(name, named)}; there are {string.Join(", ", named)}",
                    "Shapes");
        // As the build, which infers nothing: an output has the type that the file declares.
        if (original.Graph.Outputs.FirstOrDefault(o => o.NonTensorType is null && o.Type is null or { ElementType: ElementType.Undefined }) is { } untyped)
            throw DescriptionBuilder.Unsupported(untyped, true);
        CheckSizes(original, shapes);
        var (simplified, why) = TrySimplify(original, WorkingOpset, shapes);
        var asWritten = original.Opset < WorkingOpset && simplified is not null ? TrySimplify(original, original.Opset, shapes).Model ?? simplified
            : simplified;
        try
        {
            ShapeInference.Run(original, shapes);
        }
        catch (OnnxException) when (why is not null)
        {
            // What contradicts its operator's definition is named already.
        }
        return new(Artifact.Of(path), rewritten, original, simplified, asWritten, why, ModelInterface.Of((simplified ?? original).Graph));
    }

    /// <summary>A simplified copy, in an operator set that is at least the given one; or why there is none.</summary>
    private static (Model? Model, string? Why) TrySimplify(Model original, long opset, IReadOnlyDictionary<string, long> shapes)
    {
        try
        {
            var work = original.Clone();
            if (work.Opset < opset)
                OpsetConverter.Upgrade(work, opset);
            Simplifier.Run(work, new() { FixedDimensions = shapes });
            ShapeInference.Run(work, shapes);
            return (work, null);
        }
        catch (OnnxException e)
        {
            return (null, e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A defect here costs what could have been made of the model, not the model.
            return (null, $"it cannot be simplified ({e.GetType().Name}: {e.Message})");
        }
    }

    private static void CheckSizes(Model model, IReadOnlyDictionary<string, long> shapes)
    {
        foreach (var value in Inputs(model).Concat(model.Graph.Outputs.Where(o => o.Type is { HasRank: true })))
            if (value.Type!.Shape.Any(d => d.Name is { } name && shapes.ContainsKey(name))
                && FixedShapes.TooLarge(value.Name, [.. value.Type.Shape.Select(d => SizeOf(d, shapes))], BytesOf(value.Type.ElementType)) is { } problem)
                throw new CompressionException(Codes.BadShapes, problem, "Shapes");
    }

    private static int BytesOf(ElementType type) => type == ElementType.String ? 1 : Math.Max(1, ElementTypes.BitsOf(type) / 8);

    private static long SizeOf(Dimension dimension, IReadOnlyDictionary<string, long> shapes) =>
        dimension.IsConstant ? dimension.Value : dimension.Name is { } name && shapes.TryGetValue(name, out var size) ? size : -1;

    private static IEnumerable<Value> Inputs(Model model) => model.Graph.Inputs.Where(i => i.Constant is null && i.Type is { HasRank: true });

    /// <summary>Names the unnamed dimensions of inputs as the signature does (<c>dim0</c>, <c>dim1</c>, ..., less what the model names itself), so that sizes
    /// can be followed from them.</summary>
    private static void NameDimensions(Model model)
    {
        var declared = Inputs(model).Concat(model.Graph.Outputs.Where(o => o.Type is { HasRank: true })).SelectMany(v => v.Type!.Shape.Select(d => d.Name))
            .OfType<string>().ToHashSet(StringComparer.Ordinal);
        var next = 0;
        foreach (var input in Inputs(model))
            if (input.Type!.Shape.Any(d => d.IsUnknown))
                input.Type = input.Type with { Shape = [.. input.Type.Shape.Select(d => d.IsUnknown ? Dimension.Named(Next()) : d)] };

        string Next()
        {
            string name;
            do
                name = $"dim{next++}";
            while (declared.Contains(name));
            return name;
        }
    }
}
