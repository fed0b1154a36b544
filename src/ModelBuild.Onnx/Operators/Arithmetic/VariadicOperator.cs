namespace ModelBuild.Onnx.Operators;

/// <summary>A function of any number of tensors that are broadcast together, applied element by element from left to right.</summary>
internal abstract class VariadicOperator : Operator
{
    protected abstract double Apply(double a, double b);

    protected virtual long Apply(long a, long b) => throw new NotSupportedException("integers are not taken");

    protected virtual long ApplyUnsigned(long a, long b) => Apply(a, b);

    protected virtual Dimension Apply(Dimension a, Dimension b) => Dimension.Unknown;

    /// <summary>What follows after all inputs are combined.</summary>
    protected virtual double Finish(double value, int count) => value;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        for (var i = 1; i < context.InputCount; i++)
            shape = Shapes.Broadcast(shape, context.Shape(i));
        context.Set(0, context.ElementType(0), shape);
        if (context.InputCount == 2 && ElementTypes.IsInteger(context.ElementType(0)) && context.Elements(0) is { } a && context.Elements(1) is { } b)
            SymbolicBroadcast.Set(context, a, b, Apply);
    }

    public override void Axes(AxesContext context) => context.BroadcastAll();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var inputs = Enumerable.Range(0, context.InputCount).Select(context.Input).ToArray();
        var type = inputs[0].ElementType;
        context.Require(inputs.All(t => t.ElementType == type), "the inputs have different element types");
        var shape = Indexing.BroadcastShape([.. inputs.Select(t => t.Shape)]);
        if (ElementTypes.IsFloat(type))
        {
            var values = Elementwise.Spread(Numbers.Doubles(inputs[0]), inputs[0].Shape, shape);
            foreach (var input in inputs.Skip(1))
                values = Elementwise.Map<double, double>(values, shape, Numbers.Doubles(input), input.Shape, shape, Apply);
            context.Set(0, Numbers.Of(type, shape, Array.ConvertAll(values, v => Finish(v, inputs.Length))));
        }
        else
        {
            Func<long, long, long> f = type == ElementType.UInt64 ? ApplyUnsigned : Apply;
            var values = Elementwise.Spread(Numbers.Integers(inputs[0]), inputs[0].Shape, shape);
            foreach (var input in inputs.Skip(1))
                values = Elementwise.Map<long, long>(values, shape, Numbers.Integers(input), input.Shape, shape, f);
            context.Set(0, Numbers.Of(type, shape, values));
        }
    }
}
