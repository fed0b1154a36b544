using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>
/// Names the unnamed dimensions of inputs <c>dim0</c>, <c>dim1</c>, ... and fixes those that Shapes gives a size. Unnamed dimensions of outputs stay
/// so: nothing is inferred.
/// </summary>
internal sealed class DimensionNames
{
    private readonly IReadOnlyDictionary<string, long> _sizes;
    private readonly HashSet<string> _declared;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private int _next;

    /// <param name="declared">The model's interface, for the names that it uses itself.</param>
    /// <param name="sizes">The sizes that Shapes gives.</param>
    public DimensionNames(OnnxInterface declared, IReadOnlyDictionary<string, long> sizes)
    {
        _sizes = sizes;
        _declared = new(declared.Inputs.Concat(declared.Outputs).SelectMany(value => value.Dimensions ?? []).Select(d => d.Name).OfType<string>(),
            StringComparer.Ordinal);
    }

    /// <summary>The dimensions of an input; its shape must be declared.</summary>
    public EquatableArray<SignatureDimension> OfInput(OnnxValue input) =>
        input.Dimensions!.Select(d => d.Size >= 0 ? SignatureDimension.Constant(d.Size) : Named(d.Name ?? NextName())).ToEquatableArray();

    /// <summary>The dimensions of an output, or null where its rank is not declared.</summary>
    public EquatableArray<SignatureDimension>? OfOutput(OnnxValue output) => output.Dimensions?.Select(d =>
        d.Size >= 0 ? SignatureDimension.Constant(d.Size) : d.Name is { } name ? Named(name) : SignatureDimension.Unnamed).ToEquatableArray();

    /// <summary>Refuses sizes for dimensions that the model does not have.</summary>
    public void CheckAllUsed()
    {
        foreach (var name in _sizes.Keys)
            if (!_seen.Contains(name))
                throw new DiagnosticException(Codes.BadShapes, $"Shapes: the model has no dimension \"{name}\".{Suggestion.Sentence(name, _seen)} "
                    + (_seen.Count == 0 ? "All of its dimensions are constant." : $"Its dimensions: {string.Join(", ", _seen)}."), "Shapes");
    }

    private SignatureDimension Named(string name)
    {
        _seen.Add(name);
        return _sizes.TryGetValue(name, out var size) ? SignatureDimension.Constant(size) : SignatureDimension.Named(name);
    }

    private string NextName()
    {
        string name;
        do
            name = $"dim{_next++}";
        while (_declared.Contains(name));
        return name;
    }
}
