namespace ModelBuild.Onnx.Operators;

/// <summary>Dimensions of 1 removed: those at the axes, or all.</summary>
internal sealed class Squeeze : Operator
{
    public override string Name => "Squeeze";

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var axes = AxesArgument.Of(context, 13, 1, out var known);
        if (shape.IsDefault || !known || axes is null && !shape.All(static d => d.IsConstant))
        {
            context.Set(0, context.ElementType(0));
            return;
        }
        var removed = axes is null
            ? Enumerable.Range(0, shape.Length).Where(i => shape[i].Value == 1).ToHashSet()
            : axes.Select(a => Indexing.Axis(a, shape.Length)).ToHashSet();
        foreach (var axis in removed)
            context.Require(!shape[axis].IsConstant || shape[axis].Value == 1, $"dimension {axis} of {context.Input(0)} is not 1");
        context.Set(0, context.ElementType(0), [.. shape.Where((_, i) => !removed.Contains(i))]);
        if (context.Elements(0) is { } elements)
            context.SetElements(0, elements with { Shape = [.. elements.Shape.Where((_, i) => !removed.Contains(i))] });
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var shape = context.Shape(0);
        var axes = AxesArgument.Of(context, 13, 1, out var known);
        if (shape.IsDefault || !known || axes is null && !shape.All(static d => d.IsConstant))
            return;
        var removed = axes is null ? Enumerable.Range(0, shape.Length).Where(i => shape[i] == 1).ToHashSet()
            : axes.Select(a => Indexing.Axis(a, shape.Length)).ToHashSet();
        context.Reduce(removed, false);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var axes = AxesArgument.Of(context, 13, 1)?.Select(a => Indexing.Axis(a, x.Rank)).ToHashSet();
        context.Set(0, x.Reshape([.. x.Shape.Where((d, i) => axes is null ? d != 1 : !axes.Contains(i))]));
    }
}
