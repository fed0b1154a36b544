using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Dimensions of 1 inserted, so that they stand at the axes of the result.</summary>
internal sealed class Unsqueeze : Operator
{
    public override string Name => "Unsqueeze";

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (AxesArgument.Of(context, 13, 1, out _) is not { } axes || shape.IsDefault)
        {
            context.Set(0, context.ElementType(0), !shape.IsDefault && context.Vector(1) is { } v ? Shapes.OfRank(shape.Length + v.Length) : default);
            return;
        }
        context.Set(0, context.ElementType(0), Insert(shape, axes, Dimension.Of(1)));
        if (context.Elements(0) is { } elements)
            context.SetElements(0, elements with { Shape = Insert(elements.Shape, axes, 1L) });
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var rank = context.OutputRank(0);
        if (rank < 0 || AxesArgument.Of(context, 13, 1, out _) is not { } axes)
            return;
        var added = axes.Select(a => Indexing.Axis(a, rank)).ToHashSet();
        for (int i = 0, from = 0; i < rank; i++)
            if (added.Contains(i))
                context.Set(0, i, AxisKind.New);
            else
                context.Link(0, from++, 0, i);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context) =>
        context.Set(0, context.Input(0).Reshape(Insert(context.Input(0).Shape, AxesArgument.Of(context, 13, 1) ?? throw context.Error("has no axes"), 1L)
            .AsSpan()));

    private static ImmutableArray<T> Insert<T>(ImmutableArray<T> shape, long[] axes, T one)
    {
        var rank = shape.Length + axes.Length;
        var at = axes.Select(a => Indexing.Axis(a, rank)).ToHashSet();
        if (at.Count != axes.Length)
            throw new InvalidOperationException("an axis occurs twice");
        var result = ImmutableArray.CreateBuilder<T>(rank);
        for (int i = 0, from = 0; i < rank; i++)
            result.Add(at.Contains(i) ? one : shape[from++]);
        return result.MoveToImmutable();
    }
}
