namespace ModelBuild.Onnx.Operators;

/// <summary>Inference of operators whose output is their input.</summary>
internal static class PassThrough
{
    public static void Infer(InferenceContext context)
    {
        if (context.NonTensor(0) is { } other)
        {
            context.SetNonTensor(0, other);
            return;
        }
        context.Set(0, context.Input(0));
        if (context.Constant(0) is { } constant)
            context.SetConstant(0, constant);
        else if (context.Elements(0) is { } elements)
            context.SetElements(0, elements);
    }
}
