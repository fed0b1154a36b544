using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A function of two numbers, applied element by element to two tensors that are broadcast together; the result has their element type.</summary>
internal abstract class BinaryOperator : Operator
{
    protected abstract double Apply(double a, double b);

    protected abstract long Apply(long a, long b);

    /// <summary>The function of elements that are known symbolically.</summary>
    protected virtual Dimension Apply(Dimension a, Dimension b) => Dimension.Unknown;

    /// <summary>The function of UInt64, given as bit patterns.</summary>
    protected virtual long ApplyUnsigned(long a, long b) => Apply(a, b);

    public override void Infer(InferenceContext context)
    {
        var type = context.ElementType(0) != ElementType.Undefined ? context.ElementType(0) : context.ElementType(1);
        context.Set(0, type, BroadcastAttributes.Shape(context));
        if (ElementTypes.IsInteger(type) && context.Elements(0) is { } a && context.Elements(1) is { } b
            && !(context.Constant(0) is not null && context.Constant(1) is not null))
            SymbolicBroadcast.Set(context, a, b, Apply);
    }

    public override void Axes(AxesContext context) => BroadcastAttributes.Axes(context);

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var a = context.Input(0);
        var b = BroadcastAttributes.Second(context);
        context.Require(a.ElementType == b.ElementType, $"the inputs are {a.ElementType} and {b.ElementType}");
        var shape = Indexing.BroadcastShape(a.Shape, b.Shape);
        if (ElementTypes.IsFloat(a.ElementType))
            context.Set(0, Numbers.Of(a.ElementType, shape, Elementwise.Map<double,
                double>(Numbers.Doubles(a), a.Shape, Numbers.Doubles(b), b.Shape, shape, Apply)));
        else
            context.Set(0, Numbers.Of(a.ElementType, shape, Elementwise.Map<long, long>(Numbers.Integers(a), a.Shape, Numbers.Integers(b), b.Shape, shape,
                a.ElementType == ElementType.UInt64 ? ApplyUnsigned : Apply)));
    }
}
