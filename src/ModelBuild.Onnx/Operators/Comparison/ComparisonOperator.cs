namespace ModelBuild.Onnx.Operators;

/// <summary>A comparison of two tensors, element by element, broadcast; the result is boolean.</summary>
internal abstract class ComparisonOperator : Operator
{
    protected abstract bool Compare(double a, double b);

    protected abstract bool Compare(long a, long b);

    protected abstract bool CompareUnsigned(long a, long b);

    protected virtual bool Compare(string a, string b) => throw new NotSupportedException("strings are not taken");

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Bool, BroadcastAttributes.Shape(context));

    public override void Axes(AxesContext context) => BroadcastAttributes.Axes(context);

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var a = context.Input(0);
        var b = BroadcastAttributes.Second(context);
        context.Require(a.ElementType == b.ElementType, $"the inputs are {a.ElementType} and {b.ElementType}");
        var shape = Indexing.BroadcastShape(a.Shape, b.Shape);
        var result = a.ElementType switch
        {
            ElementType.String => Elementwise.Map<string, bool>(a.Strings.ToArray(), a.Shape, b.Strings.ToArray(), b.Shape, shape, Compare),
            ElementType.UInt64 => Elementwise.Map<long, bool>(Numbers.Integers(a), a.Shape, Numbers.Integers(b), b.Shape, shape, CompareUnsigned),
            var t when ElementTypes.IsFloat(t) => Elementwise.Map<double, bool>(Numbers.Doubles(a), a.Shape, Numbers.Doubles(b), b.Shape, shape, Compare),
            _ => Elementwise.Map<long, bool>(Numbers.Integers(a), a.Shape, Numbers.Integers(b), b.Shape, shape, Compare),
        };
        context.Set(0, Tensor.Of(result, shape.AsSpan()));
    }
}
