namespace ModelBuild.Onnx.Operators;

/// <summary>(x - offset) * scale, per feature or with one number for all.</summary>
internal sealed class Scaler : Operator
{
    public override string Domain => Domains.MachineLearning;

    public override string Name => "Scaler";

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Float, context.Shape(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context)
    {
        var features = context.Rank(0) - 1;
        foreach (var name in (string[])["offset", "scale"])
            if (features >= 0 && context.CutsInput(0, features) && context.Node.Floats(name) is { Length: > 1 } values)
                context.Set(name, context.OfInput(0, features).Select(i => values[i]).ToArray());
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var (offset, scale) = (context.Node.Floats("offset") ?? [0], context.Node.Floats("scale") ?? [1]);
        var features = x.Rank == 0 ? 1 : (int)x.Shape[^1];
        context.Require((offset.Length == 1 || offset.Length == features) && (scale.Length == 1 || scale.Length == features),
            "offset or scale do not fit the features");
        for (var i = 0; i < values.Length; i++)
            values[i] = (values[i] - offset[offset.Length == 1 ? 0 : i % features]) * scale[scale.Length == 1 ? 0 : i % features];
        context.Set(0, Numbers.Of(ElementType.Float, x.Shape, values));
    }
}
