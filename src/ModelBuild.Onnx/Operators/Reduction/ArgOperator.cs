using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>The position of an extreme element along an axis.</summary>
internal abstract class ArgOperator : Operator
{
    /// <summary>Whether the first number beats the second.</summary>
    protected abstract bool Beats(double a, double b);

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
        {
            context.Set(0, ElementType.Int64);
            return;
        }
        var axis = Indexing.Axis(context.Node.Int("axis"), shape.Length);
        context.Set(0, ElementType.Int64, context.Node.Int("keepdims", 1) != 0 ? shape.SetItem(axis, 1) : shape.RemoveAt(axis));
    }

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is > 0 and var rank)
            context.Reduce(new HashSet<int> { Indexing.Axis(context.Node.Int("axis"), rank) }, context.Node.Int("keepdims", 1) != 0);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var axis = Indexing.Axis(context.Node.Int("axis"), x.Rank);
        var last = context.Node.Int("select_last_index") != 0;
        var values = Numbers.Doubles(x);
        var inner = (int)Indexing.Product(x.Shape.AsSpan(), axis + 1, x.Rank);
        var length = (int)x.Shape[axis];
        context.Require(length > 0, "the axis is empty");
        var shape = context.Node.Int("keepdims", 1) != 0 ? x.Shape.SetItem(axis, 1) : x.Shape.RemoveAt(axis);
        var result = new long[Indexing.Length(shape)];
        for (var i = 0; i < result.Length; i++)
        {
            var start = i / inner * length * inner + i % inner;
            var best = 0;
            for (var k = 1; k < length; k++)
            {
                var (v, b) = (values[start + k * inner], values[start + best * inner]);
                if (Beats(v, b) || last && v == b)
                    best = k;
            }
            result[i] = best;
        }
        context.Set(0, Tensor.Of(result, shape.AsSpan()));
    }
}
