using ModelBuild.Shared;

namespace ModelBuild.Generators;

/// <summary>Writes what the class tells the runtime about its model.</summary>
internal static class DescriptionEmitter
{
    /// <summary>The static field. Static fields are initialised in the order of the text, and Info uses this one: it comes first.</summary>
    public static void Emit(SourceWriter writer, Wrapper wrapper)
    {
        var signature = wrapper.Signature;
        writer.Member();
        writer.Line("private static readonly global::ModelBuild.ModelDescription Description = new global::ModelBuild.ModelDescription(");
        writer.Continued($"className: {CSharpText.Literal(signature.Class)},");
        writer.Continued($"assemblyName: {CSharpText.Literal(signature.Assembly)},");
        writer.Continued($"signatureHash: {CSharpText.Literal(signature.Hash)},");
        writer.Continued($"symbols: {Array("string", wrapper.Symbols.Select(symbol => CSharpText.Literal(symbol.Name)))},");
        Tensors(writer, wrapper, "inputs", wrapper.Inputs);
        Tensors(writer, wrapper, "outputs", wrapper.Outputs);
        writer.Continued($"profiles: {Array("string", signature.Profiles.Select(CSharpText.Literal))}{(signature.Embed ? "," : ");")}");
        if (signature.Embed)
            writer.Continued($"embeddedIn: typeof({wrapper.ClassName}).Assembly);");
    }

    private static void Tensors(SourceWriter writer, Wrapper wrapper, string parameter, IReadOnlyList<WrapperTensor> tensors)
    {
        const string type = "global::ModelBuild.TensorInfo";
        if (tensors.Count == 0)
        {
            writer.Continued($"{parameter}: {Array(type, [])},");
            return;
        }
        writer.Indented(() =>
        {
            writer.Line($"{parameter}: new {type}[]");
            writer.Line("{");
            foreach (var tensor in tensors)
                writer.Continued($"{Tensor(wrapper, tensor)},");
            writer.Line("},");
        });
    }

    private static string Tensor(Wrapper wrapper, WrapperTensor tensor)
    {
        const string dimension = "global::ModelBuild.ModelDimension";
        // No dimensions are given where not even their number is declared.
        var dimensions = tensor.Signature.Dimensions is { } declared
            ? string.Concat(declared.Select(d => ", " + (d.IsConstant ? $"{dimension}.Constant({d.Size})" : Named(wrapper, d))))
            : null;
        return dimensions is null
            ? $"new global::ModelBuild.TensorInfo({CSharpText.Literal(tensor.Signature.Name)}, "
                + $"global::ModelBuild.ModelElementType.{ElementTypeNames.Runtime(tensor.Signature.Type)}, "
                + $"default(global::System.Collections.Immutable.ImmutableArray<{dimension}>))"
            : $"global::ModelBuild.TensorInfo.Of({CSharpText.Literal(tensor.Signature.Name)}, "
                + $"global::ModelBuild.ModelElementType.{ElementTypeNames.Runtime(tensor.Signature.Type)}{dimensions})";

        static string Named(Wrapper wrapper, SignatureDimension d)
        {
            var index = wrapper.Symbols.ToList().FindIndex(symbol => symbol.Name == d.Name);
            return index < 0 ? $"{dimension}.DataDependent" : $"{dimension}.Named({index})";
        }
    }

    private static string Array(string type, IEnumerable<string> items)
    {
        var list = string.Join(", ", items);
        return list.Length == 0 ? $"new {type}[0]" : $"new {type}[] {{ {list} }}";
    }
}
