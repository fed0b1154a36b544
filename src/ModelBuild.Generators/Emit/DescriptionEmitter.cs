using ModelBuild.Shared;

namespace ModelBuild.Generators;

/// <summary>Writes what the class tells the runtime about its model.</summary>
internal static class DescriptionEmitter
{
    private const string Array = "global::System.Collections.Immutable.ImmutableArray";

    /// <summary>The static field. Static fields are initialised in the order of the text, and Info uses this one: it comes first.</summary>
    public static void Emit(SourceWriter writer, Wrapper wrapper)
    {
        var signature = wrapper.Signature;
        writer.Member();
        writer.Line("private static readonly global::ModelBuild.ModelDescription Description = new global::ModelBuild.ModelDescription");
        writer.Line("{");
        writer.Continued($"ClassName = {CSharpText.Literal(signature.Class)},");
        writer.Continued($"AssemblyName = {CSharpText.Literal(signature.Assembly)},");
        writer.Continued($"SignatureHash = {CSharpText.Literal(signature.Hash)},");
        writer.Continued($"Symbols = {List("string", wrapper.Symbols.Select(symbol => CSharpText.Literal(symbol.Name)))},");
        writer.Continued($"Inputs = {List("global::ModelBuild.TensorInfo", wrapper.Inputs.Select(input => Tensor(wrapper, input)))},");
        writer.Continued($"Outputs = {List("global::ModelBuild.TensorInfo", wrapper.Outputs.Select(output => Tensor(wrapper, output)))},");
        writer.Continued($"Profiles = {List("string", signature.Profiles.Select(CSharpText.Literal))},");
        if (signature.Embed)
            writer.Continued($"EmbeddedIn = typeof({wrapper.ClassName}).Assembly,");
        writer.Line("};");
    }

    private static string Tensor(Wrapper wrapper, WrapperTensor tensor)
    {
        const string dimension = "global::ModelBuild.ModelDimension";
        var dimensions = tensor.Signature.Dimensions is { } declared
            ? List(dimension, declared.Select(d => d.IsConstant ? $"{dimension}.Constant({d.Size})" : Named(wrapper, d)))
            : $"default({Array}<{dimension}>)";
        return $"new global::ModelBuild.TensorInfo({CSharpText.Literal(tensor.Signature.Name)}, global::ModelBuild.ModelElementType.{ElementTypeNames.Runtime(tensor.Signature.Type)}, {dimensions})";

        static string Named(Wrapper wrapper, SignatureDimension d)
        {
            var index = wrapper.Symbols.ToList().FindIndex(symbol => symbol.Name == d.Name);
            return index < 0 ? $"{dimension}.DataDependent" : $"{dimension}.Named({index})";
        }
    }

    private static string List(string type, IEnumerable<string> items)
    {
        var list = string.Join(", ", items);
        return list.Length == 0 ? $"{Array}<{type}>.Empty" : $"{Array}.Create(new {type}[] {{ {list} }})";
    }
}
