namespace ModelBuild.Onnx.Operators;

/// <summary>Axes that are an attribute in older operator sets and an input in newer ones.</summary>
internal static class AxesArgument
{
    /// <summary>The axes; null where there are none. <paramref name="known"/> is false where they are an input that is not constant.</summary>
    public static long[]? Of(InferenceContext context, int sinceInput, int index, out bool known)
    {
        known = true;
        if (context.Opset < sinceInput)
            return context.Node.Ints("axes");
        if (!context.Has(index))
            return null;
        var axes = context.ConstantIntegers(index);
        known = axes is not null;
        return axes;
    }

    /// <summary>The axes; null where there are none.</summary>
    public static long[]? Of(ExecutionContext context, int sinceInput, int index) =>
        context.Opset < sinceInput ? context.Node.Ints("axes") : context.Optional(index) is { } t ? Numbers.Integers(t) : null;

    public static long[]? Of(AxesContext context, int sinceInput, int index, out bool known)
    {
        known = true;
        if (context.Opset < sinceInput)
            return context.Node.Ints("axes");
        if (!context.Has(index))
            return null;
        var axes = context.Integers(index);
        known = axes is not null;
        return axes;
    }
}
