using ModelBuild.Shared;

namespace ModelBuild.Generators;

/// <summary>Decides the names of a wrapper's members and parameters.</summary>
internal static class WrapperFactory
{
    // Members of Output besides the tensors: its own name, what every object has, and TopK.
    private static readonly string[] ReservedProperties =
        ["Output", "TopK", "Equals", "GetHashCode", "GetType", "ToString", "MemberwiseClone", "ReferenceEquals", "Finalize"];

    // Products of sizes stop here, so that they fit a long: no span holds as many elements.
    private const long MoreThanASpan = 1L << 31;

    /// <summary>The wrapper of a signature.</summary>
    public static Wrapper Create(WrapperInput input)
    {
        var signature = input.Signature;
        var symbolNames = signature.Inputs.SelectMany(tensor => tensor.Dimensions ?? default).Where(d => !d.IsConstant).Select(d => d.Name!)
            .Distinct(StringComparer.Ordinal).ToList();
        var batch = Batch(signature, symbolNames);
        // All of these can be parameters of one method. Batch takes its name before a tensor can.
        var names = new UniqueNames(batch is null ? ["CancellationToken"] : ["CancellationToken", "Batch"]);
        var tensors = signature.Inputs.Concat(signature.Outputs).Select(tensor => names.Take(CSharpNames.PascalCase(tensor.Name, "Tensor"))).ToList();
        var symbols = symbolNames.Select(name => new WrapperSymbol(
            name, name == batch ? "batch" : CSharpNames.Escape(CSharpNames.CamelCase(names.Take(CSharpNames.PascalCase(name, "Dimension")))), name == batch))
                .ToList();
        var outputs = signature.Outputs.Select((tensor, i) => Tensor(tensor, i, tensors[signature.Inputs.Count + i], symbols)).ToList();
        return new()
        {
            Signature = signature,
            RegistersOnnxRuntime = input.References.OnnxRuntime,
            Nullable = input.NullableAnnotations ? "?" : "",
            Inputs = [.. signature.Inputs.Select((tensor, i) => Tensor(tensor, i, tensors[i], symbols))],
            Outputs = outputs,
            Symbols = symbols,
            LabelledOutput = signature.Labels is { } labels ? LabelledOutput(outputs, labels.Count) : null,
        };
    }

    // The dimension that counts samples: one that says so, else the leading one of the first input of two or more dimensions, if it only ever leads.
    private static string? Batch(ModelSignature signature, IReadOnlyList<string> symbols)
    {
        if (symbols.FirstOrDefault(name => name.IndexOf("batch", StringComparison.OrdinalIgnoreCase) >= 0) is { } named)
            return named;
        var shapes = signature.Inputs.Select(tensor => tensor.Dimensions ?? default).ToList();
        var leading = shapes.Where(shape => shape.Count >= 2).Select(shape => shape[0].Name).FirstOrDefault();
        return leading is not null && !shapes.Any(shape => shape.Skip(1).Any(d => d.Name == leading)) ? leading : null;
    }

    private static WrapperTensor Tensor(TensorSignature tensor, int index, string name, IReadOnlyList<WrapperSymbol> symbols) => new()
    {
        Signature = tensor,
        Index = index,
        Name = name,
        Property = ReservedProperties.Contains(name, StringComparer.Ordinal) ? name + "Tensor" : name,
        Parameter = CSharpNames.Escape(CSharpNames.CamelCase(name)),
        Shape = Shape(tensor, symbols),
    };

    private static WrapperShape? Shape(TensorSignature tensor, IReadOnlyList<WrapperSymbol> symbols)
    {
        if (tensor.Dimensions is not { } declared)
            return null;
        List<(WrapperSymbol? Symbol, long Size)> dimensions = [.. declared.Select(d => (symbols.FirstOrDefault(symbol => symbol.Name == d.Name), d.Size))];
        if (dimensions.Any(d => d.Symbol is null && d.Size < 0))
            return null;
        long constant = 1;
        foreach (var (symbol, size) in dimensions)
            if (symbol is null)
                constant = size == 0 ? 0 : constant > MoreThanASpan / size ? MoreThanASpan : constant * size;
        return new(constant, [.. dimensions.Select(d => d.Symbol).OfType<WrapperSymbol>()], dimensions);
    }

    private static WrapperTensor? LabelledOutput(IReadOnlyList<WrapperTensor> outputs, int labels)
    {
        var scores = outputs.Where(output => output.Signature.Type is "float" or "double" or "float16").ToList();
        return scores.FirstOrDefault(output => output.Signature is { ClassAxis: >= 0 and var axis, Dimensions: { } d } && d[axis].Size == labels)
            ?? scores.FirstOrDefault();
    }
}
