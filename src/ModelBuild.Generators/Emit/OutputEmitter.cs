namespace ModelBuild.Generators;

/// <summary>Writes the nested class Output.</summary>
internal static class OutputEmitter
{
    /// <summary>Writes the class.</summary>
    public static void Emit(SourceWriter writer, Wrapper wrapper)
    {
        writer.Member();
        writer.Line("/// <summary>The outputs of a run. They own their memory.</summary>");
        writer.Block("public sealed partial class Output", () =>
        {
            writer.Member();
            writer.Line("/// <summary>Outputs of one's own making, for fakes in tests.</summary>");
            foreach (var output in wrapper.Outputs)
                writer.Line($"/// <param name=\"{output.Parameter.TrimStart('@')}\">Output {Documentation.Name(output)}: "
                    + $"{CSharpText.Describe(output)}.</param>");
            writer.Block($"public Output({string.Join(", ", wrapper.Outputs.Select(output => $"{Type(output)} {output.Parameter}"))})", () =>
            {
                foreach (var output in wrapper.Outputs)
                    // In scripts without case a parameter is called as its property.
                    writer.Line($"{(output.Property == output.Parameter ? "this." : "")}{output.Property} = {output.Parameter};");
            });
            foreach (var output in wrapper.Outputs)
            {
                writer.Member();
                writer.Line(Documentation.Property(output));
                writer.Line($"public {Type(output)} {output.Property} {{ get; }}");
            }
            LabelsEmitter.EmitTopK(writer, wrapper);
        });
    }

    private static string Type(WrapperTensor output) => $"global::ModelBuild.ModelTensor<{output.ElementType}>";
}
