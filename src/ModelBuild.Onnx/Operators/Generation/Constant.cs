using System.Collections.Immutable;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor that is an attribute.</summary>
internal sealed class Constant : Operator
{
    public override string Name => "Constant";

    /// <summary>The tensor of a Constant node.</summary>
    public static Tensor Data(Node node)
    {
        foreach (var (name, attribute) in node.Attributes)
            switch (name)
            {
                case "value" or "sparse_value":
                    // Exporters write sparse tensors under either name.
                    return attribute.Value is SparseTensorProto sparse ? SparseTensorReader.ToDense(sparse) : (Tensor)attribute.Value;
                case "value_float":
                    return Tensor.Scalar((float)attribute.Value);
                case "value_int":
                    return Tensor.Scalar((long)attribute.Value);
                case "value_floats":
                    return Tensor.Vector(((ImmutableArray<float>)attribute.Value).ToArray());
                case "value_ints":
                    return Tensor.Vector(((ImmutableArray<long>)attribute.Value).ToArray());
                case "value_string":
                    return new([], [node.String("value_string")]);
                case "value_strings":
                    var strings = ((ImmutableArray<byte[]>)attribute.Value).Select(System.Text.Encoding.UTF8.GetString).ToArray();
                    return new([strings.Length], strings);
            }
        throw new InvalidOperationException("has no value");
    }

    public override void Infer(InferenceContext context) => context.SetConstant(0, Data(context.Node));

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context) => context.Set(0, Data(context.Node));
}
