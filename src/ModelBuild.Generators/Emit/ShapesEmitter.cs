namespace ModelBuild.Generators;

/// <summary>Writes the nested class Shapes: lengths of tensors as constants or, where they depend on named dimensions, as methods.</summary>
internal static class ShapesEmitter
{
    /// <summary>Writes the class.</summary>
    public static void Emit(SourceWriter writer, Wrapper wrapper)
    {
        writer.Member();
        writer.Line("/// <summary>Numbers of elements, for allocating memory.</summary>");
        writer.Block("public static class Shapes", () =>
        {
            foreach (var tensor in wrapper.Inputs.Concat(wrapper.Outputs).Where(tensor => tensor.Shape is { Constant: <= int.MaxValue }))
                Length(writer, tensor, tensor.Shape!);
        });
    }

    private static void Length(SourceWriter writer, WrapperTensor tensor, WrapperShape shape)
    {
        var symbols = shape.Factors.Where(symbol => !symbol.IsBatch).Distinct().ToList();
        var batch = shape.Factors.FirstOrDefault(symbol => symbol.IsBatch);
        var what = $"{Documentation.Name(tensor)} ({CSharpText.Describe(tensor)})";
        writer.Member();
        if (symbols.Count == 0)
        {
            writer.Line($"/// <summary>Elements of {what}{(batch is null ? "" : $" for one sample; times <c>{batch.Parameter}</c> for more")}.</summary>");
            writer.Line($"public const int {tensor.Name}Length = {CSharpText.Number(shape.Constant)};");
            return;
        }
        writer.Line($"/// <summary>Elements of {what}.</summary>");
        foreach (var symbol in symbols)
            writer.Line($"/// <param name=\"{symbol.Parameter.TrimStart('@')}\">The size of the model's dimension "
                + $"<c>{CSharpText.Xml(symbol.Name)}</c>.</param>");
        if (batch is not null)
            writer.Line($"/// <param name=\"{batch.Parameter}\">The number of samples.</param>");
        writer.Line("/// <exception cref=\"global::System.OverflowException\">No span holds so many.</exception>");
        var parameters = symbols.Select(symbol => $"int {symbol.Parameter}").Concat(batch is null ? [] : [$"int {batch.Parameter} = 1"]);
        writer.Block($"public static int {tensor.Name}Length({string.Join(", ", parameters)})", () =>
            writer.Line($"return checked((int){LengthText.Elements(shape)});"));
    }
}
