namespace ModelBuild.Generators;

/// <summary>Expressions for lengths and shapes under the sizes that a call gives.</summary>
internal static class LengthText
{
    /// <summary>The number of elements, as an expression of type <c>long</c>.</summary>
    public static string Elements(WrapperShape shape) => shape.Factors.Count == 0
        ? $"{CSharpText.Number(shape.Constant)}L"
        : $"checked({string.Join(" * ", shape.Factors.Select((symbol, i) => (i == 0 ? "(long)" : "") + symbol.Parameter))}"
            + $"{(shape.Constant == 1 ? "" : $" * {CSharpText.Number(shape.Constant)}L")})";

    /// <summary>The shape, as an expression of type <c>string</c>: <c>$"[{batch}, 3]"</c>.</summary>
    public static string Shape(WrapperShape shape) =>
        $"{(shape.Factors.Count == 0 ? "" : "$")}\"["
        + $"{string.Join(", ", shape.Dimensions.Select(d => d.Symbol is null ? $"{d.Size}" : $"{{{d.Symbol.Parameter}}}"))}]\"";
}
