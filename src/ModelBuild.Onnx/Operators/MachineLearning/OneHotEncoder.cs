namespace ModelBuild.Onnx.Operators;

/// <summary>Ones at the places of categories, along a new last axis.</summary>
internal sealed class OneHotEncoder : LearnedOperator
{
    public override string Name => "OneHotEncoder";

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Float,
        context.Shape(0) is { IsDefault: false } shape
            ? [.. shape, (Strings(context.Node, "cats_strings") ?? context.Node.Ints("cats_int64s")?.Length) is { } count ? count : Dimension.Unknown]
            : default);

    public override void Axes(AxesContext context)
    {
        for (var i = 0; i < context.Rank(0); i++)
            context.Link(0, i, 0, i);
        context.Rest(AxisKind.New);
    }

    public override string? Cut(CutContext context) => null;
}
