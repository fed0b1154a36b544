using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Operators;

/// <summary>An optional that holds the input, or nothing.</summary>
internal sealed class Optional : Operator
{
    public override string Name => "Optional";

    public override int FirstVersion => 15;

    public override void Infer(InferenceContext context)
    {
        // What is held is as it is, whatever the attribute says of its shape.
        var element = context.NonTensor(0)
            ?? (context.Has(0) ? TypeConversion.ToProto(context.Input(0)) : context.Node.Attributes.GetValueOrDefault("type")?.Value as TypeProto);
        context.SetNonTensor(0, new() { OptionalType = new() { ElemType = element } });
    }

    public override void Execute(ExecutionContext context) => context.Set(0, context.Value(0));
}
