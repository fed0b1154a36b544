using ModelBuild.Shared;

namespace ModelBuild.Generators;

/// <summary>A wrapper with every name decided, ready to be written.</summary>
internal sealed class Wrapper
{
    public required ModelSignature Signature { get; init; }

    /// <summary>Whether the project references ModelBuild.OnnxRuntime.</summary>
    public required bool RegistersOnnxRuntime { get; init; }

    /// <summary>The question mark of nullable reference types, or nothing where the language has none.</summary>
    public required string Nullable { get; init; }

    public required IReadOnlyList<WrapperTensor> Inputs { get; init; }

    public required IReadOnlyList<WrapperTensor> Outputs { get; init; }

    /// <summary>The named dimensions of inputs, in order of first occurrence: the order in which a run binds them.</summary>
    public required IReadOnlyList<WrapperSymbol> Symbols { get; init; }

    /// <summary>The output that <c>TopK</c> ranks, or null where the item has no labels.</summary>
    public required WrapperTensor? LabelledOutput { get; init; }

    public string ClassName => Signature.Class;

    /// <summary>Whether every output's size follows from the inputs' sizes, so that a caller can provide the memory.</summary>
    public bool HasKnownOutputSizes => Outputs.All(output => output.Shape is not null);

    /// <summary>The symbols in the order of parameters: batch comes last, because it has a default.</summary>
    public IEnumerable<WrapperSymbol> Arguments => Symbols.OrderBy(symbol => symbol.IsBatch);
}

/// <summary>A named dimension that callers give a size.</summary>
/// <param name="Name">The name in the model.</param>
/// <param name="Parameter">The parameter's name, escaped.</param>
/// <param name="IsBatch">Whether it counts independent samples; then it is 1 where a caller says nothing.</param>
internal sealed record WrapperSymbol(string Name, string Parameter, bool IsBatch);

/// <summary>An input or output.</summary>
internal sealed class WrapperTensor
{
    public required TensorSignature Signature { get; init; }

    public required int Index { get; init; }

    /// <summary>The name in Pascal case.</summary>
    public required string Name { get; init; }

    /// <summary>The name of the property of Output: <see cref="Name"/>, unless a member of every Output is called so.</summary>
    public required string Property { get; init; }

    /// <summary>The name of parameters, escaped.</summary>
    public required string Parameter { get; init; }

    /// <summary>The shape, or null where only a run can tell it.</summary>
    public required WrapperShape? Shape { get; init; }

    public string ElementType => ElementTypeNames.CSharp(Signature.Type);

    public bool IsString => Signature.Type == "string";

    /// <summary>A scalar input is passed by value.</summary>
    public bool IsScalar => Signature.Dimensions is { Count: 0 };
}

/// <summary>A shape whose every size is a constant or a named dimension of an input.</summary>
/// <param name="Constant">The product of the constant sizes.</param>
/// <param name="Factors">The named dimensions, one for each time that it occurs.</param>
/// <param name="Dimensions">All dimensions: a symbol, or null and a size.</param>
internal sealed record WrapperShape(long Constant, IReadOnlyList<WrapperSymbol> Factors, IReadOnlyList<(WrapperSymbol? Symbol, long Size)> Dimensions);
