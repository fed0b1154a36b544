using ModelBuild.Shared;

namespace ModelBuild.Generators;

/// <summary>Writes the methods that run the model.</summary>
internal static class PredictEmitter
{
    private const string Errors = "global::ModelBuild.ModelErrors";

    /// <summary>The public methods.</summary>
    public static void Emit(SourceWriter writer, Wrapper wrapper)
    {
        if (wrapper.HasKnownOutputSizes)
            SpanPredict(writer, wrapper);
        writer.Member();
        WrapperEmitter.PredictDocumentation(writer, wrapper);
        writer.Block($"public Output Predict({Parameters.List(Parameters.Inputs(wrapper), Parameters.Symbols(wrapper))})", () =>
        {
            var context = Local(wrapper, "context");
            writer.Line($"global::ModelBuild.ModelContext {context} = Run({Parameters.Pass(wrapper)});");
            TryReturn(writer, context, () => writer.Line($"return new Output({string.Join(", ", wrapper.Outputs.Select(output => Read(output, context)))});"));
        });
    }

    /// <summary>The private methods that the public ones share.</summary>
    public static void EmitHelpers(SourceWriter writer, Wrapper wrapper)
    {
        Run(writer, wrapper);
        if (wrapper.HasKnownOutputSizes)
            Copy(writer);
        if (wrapper.Outputs.Any(output => !output.IsString))
        {
            writer.Member();
            writer.Block("private static global::ModelBuild.ModelTensor<T> Read<T>(global::ModelBuild.ModelContext context, int index, string name) where T "
                + ": unmanaged", () =>
                writer.Line("return new global::ModelBuild.ModelTensor<T>(name, context.OutputShape(index), context.Output<T>(index));"));
        }
        if (wrapper.Outputs.Any(output => output.IsString))
        {
            writer.Member();
            writer.Block("private static global::ModelBuild.ModelTensor<string> ReadStrings(global::ModelBuild.ModelContext context, int index, string name)",
                () =>
                writer.Line("return new global::ModelBuild.ModelTensor<string>(name, "
                    + "global::System.Collections.Immutable.ImmutableArray.Create(context.OutputShape(index).ToArray()), context.OutputStrings(index));"));
        }
    }

    private static void SpanPredict(SourceWriter writer, Wrapper wrapper)
    {
        writer.Member();
        writer.Line("/// <summary>Runs the model and writes the outputs to memory of the caller's; allocates nothing.</summary>");
        writer.Lines(Documentation.Parameters(wrapper, outputs: true));
        writer.Line("/// <exception cref=\"global::System.ArgumentException\">An input or output has another length than its shape asks for.</exception>");
        writer.Block($"public void Predict({Parameters.List(Parameters.Inputs(wrapper), Parameters.Outputs(wrapper), Parameters.Symbols(wrapper))})", () =>
        {
            CheckSymbols(writer, wrapper);
            foreach (var output in wrapper.Outputs)
                CheckLength(writer, output);
            var context = Local(wrapper, "context");
            writer.Line($"global::ModelBuild.ModelContext {context} = Run({Parameters.Pass(wrapper)});");
            TryReturn(writer, context, () =>
            {
                foreach (var output in wrapper.Outputs)
                    writer.Line($"Copy({Value(output, context)}, {output.Parameter}, {CSharpText.Literal(output.Signature.Name)});");
            });
        });
    }

    private static void Run(SourceWriter writer, Wrapper wrapper)
    {
        writer.Member();
        writer.Line("// Checks the arguments, rents buffers and runs; the caller returns the buffers when it has read the outputs.");
        writer.Block($"private global::ModelBuild.ModelContext "
            + $"Run({Parameters.List(Parameters.Inputs(wrapper), Parameters.Symbols(wrapper, defaults: false))})", () =>
        {
            CheckSymbols(writer, wrapper);
            foreach (var input in wrapper.Inputs.Where(input => !input.IsScalar))
                CheckLength(writer, input);
            var context = Local(wrapper, "context");
            var symbols = Local(wrapper, "symbols");
            writer.Line(wrapper.Symbols.Count == 0
                ? $"global::System.ReadOnlySpan<long> {symbols} = default;"
                : $"global::System.ReadOnlySpan<long> {symbols} = stackalloc long[] {{ "
                    + $"{string.Join(", ", wrapper.Symbols.Select(symbol => symbol.Parameter))} }};");
            writer.Line($"global::ModelBuild.ModelContext {context} = _model.Rent();");
            writer.Block("try", () =>
            {
                writer.Line($"{context}.Prepare({symbols});");
                foreach (var input in wrapper.Inputs)
                    writer.Line(Write(input, context));
                writer.Line($"{context}.Run();");
                writer.Line($"return {context};");
            });
            writer.Block("catch", () =>
            {
                writer.Line($"_model.Return({context});");
                writer.Line("throw;");
            });
        });
    }

    private static void Copy(SourceWriter writer)
    {
        writer.Member();
        writer.Block("private static void Copy<T>(global::System.ReadOnlySpan<T> values, global::System.Span<T> target, string name)", () =>
        {
            writer.Line("if (values.Length != target.Length)");
            writer.Continued("throw new global::System.InvalidOperationException(\"output '\" + name + \"' has \" + values.Length + \" elements where the "
                + "model declares \" + target.Length + \"; use the Predict that returns Output\");");
            writer.Line("values.CopyTo(target);");
        });
    }

    private static void CheckSymbols(SourceWriter writer, Wrapper wrapper)
    {
        foreach (var symbol in wrapper.Symbols)
        {
            writer.Line($"if ({symbol.Parameter} < 0)");
            writer.Continued($"{Errors}.ThrowDimension({CSharpText.Literal(symbol.Name)}, {symbol.Parameter}, nameof({symbol.Parameter}));");
        }
    }

    private static void CheckLength(SourceWriter writer, WrapperTensor tensor)
    {
        writer.Line($"if ({tensor.Parameter}.Length != {LengthText.Elements(tensor.Shape!)})");
        writer.Continued($"{Errors}.ThrowLength({CSharpText.Literal(tensor.Signature.Name)}, {LengthText.Shape(tensor.Shape!)}, {tensor.Parameter}.Length, "
            + $"nameof({tensor.Parameter}));");
    }

    private static void TryReturn(SourceWriter writer, string context, Action body)
    {
        writer.Block("try", body);
        writer.Block("finally", () => writer.Line($"_model.Return({context});"));
    }

    private static string Write(WrapperTensor input, string context) => (input.IsString, input.IsScalar) switch
    {
        (true, true) => $"{context}.SetStrings({input.Index}, new string[] {{ {input.Parameter} }});",
        (true, false) => $"{context}.SetStrings({input.Index}, {input.Parameter});",
        (false, true) => $"{context}.Input<{input.ElementType}>({input.Index})[0] = {input.Parameter};",
        _ => $"{input.Parameter}.CopyTo({context}.Input<{input.ElementType}>({input.Index}));",
    };

    private static string Value(WrapperTensor output, string context) => output.IsString
        ? $"{context}.OutputStrings({output.Index})"
        : $"{context}.Output<{output.ElementType}>({output.Index})";

    private static string Read(WrapperTensor output, string context) => output.IsString
        ? $"ReadStrings({context}, {output.Index}, {CSharpText.Literal(output.Signature.Name)})"
        : $"Read<{output.ElementType}>({context}, {output.Index}, {CSharpText.Literal(output.Signature.Name)})";

    // A name for a local variable that no parameter has.
    private static string Local(Wrapper wrapper, string name) => new UniqueNames(
        [.. wrapper.Inputs.Concat(wrapper.Outputs).Select(tensor => tensor.Parameter), .. wrapper.Symbols.Select(symbol => symbol.Parameter)]).Take(name);
}
