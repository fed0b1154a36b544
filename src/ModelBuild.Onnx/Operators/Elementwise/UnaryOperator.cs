namespace ModelBuild.Onnx.Operators;

/// <summary>A function of one number, applied to every element.</summary>
internal abstract class UnaryOperator : Operator
{
    /// <summary>The function, with the node's attributes.</summary>
    protected abstract Func<double, double> Function(Node node);

    /// <summary>The function of integers, or null where the operator takes none.</summary>
    protected virtual Func<long, long>? IntegerFunction => null;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        if (ElementTypes.IsFloat(x.ElementType))
        {
            var f = Function(context.Node);
            var values = Numbers.Doubles(x);
            for (var i = 0; i < values.Length; i++)
                values[i] = f(values[i]);
            context.Set(0, Numbers.Of(x.ElementType, x.Shape, values));
            return;
        }
        var g = IntegerFunction ?? throw context.Error($"does not take {x.ElementType}");
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, Array.ConvertAll(Numbers.Integers(x), v => g(v))));
    }
}
