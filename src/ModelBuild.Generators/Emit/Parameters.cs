namespace ModelBuild.Generators;

/// <summary>Parameter and argument lists of a wrapper's methods.</summary>
internal static class Parameters
{
    /// <summary>Inputs as spans, scalars by value.</summary>
    public static IEnumerable<string> Inputs(Wrapper wrapper, string span = "ReadOnlySpan") =>
        wrapper.Inputs.Select(input => $"{InputType(input, span)} {input.Parameter}");

    /// <summary>Outputs as spans to write to.</summary>
    public static IEnumerable<string> Outputs(Wrapper wrapper) =>
        wrapper.Outputs.Select(output => $"global::System.Span<{output.ElementType}> {output.Parameter}");

    /// <summary>Named dimensions; batch has a default.</summary>
    public static IEnumerable<string> Symbols(Wrapper wrapper, bool defaults = true) =>
        wrapper.Arguments.Select(symbol => $"int {symbol.Parameter}{(symbol.IsBatch && defaults ? " = 1" : "")}");

    /// <summary>The arguments that pass inputs and dimensions on.</summary>
    public static string Pass(Wrapper wrapper, string inputSuffix = "") => List(
        wrapper.Inputs.Select(input => input.Parameter + (input.IsScalar ? "" : inputSuffix)), wrapper.Arguments.Select(symbol => symbol.Parameter));

    /// <summary>Joins lists of parameters.</summary>
    public static string List(params IEnumerable<string>[] parts) => string.Join(", ", parts.SelectMany(part => part));

    private static string InputType(WrapperTensor input, string span) => input.IsScalar ? input.ElementType : $"global::System.{span}<{input.ElementType}>";
}
