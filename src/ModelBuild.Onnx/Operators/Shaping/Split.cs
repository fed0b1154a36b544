using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor cut along an axis, into given lengths or equal ones.</summary>
internal sealed class Split : Operator
{
    public override string Name => "Split";

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
        {
            for (var i = 0; i < context.OutputCount; i++)
                context.Set(i, context.ElementType(0));
            return;
        }
        var axis = Indexing.Axis(context.Node.Int("axis"), shape.Length);
        var lengths = Given(context.Opset) ? context.Node.Ints("split") : context.ConstantIntegers(1);
        var open = lengths is null && context.Opset >= 13 && context.Has(1);
        if (lengths is null && !open && shape[axis].IsConstant)
            lengths = Equal(shape[axis].Value, context.OutputCount);
        var start = 0L;
        for (var i = 0; i < context.OutputCount; i++)
        {
            var length = lengths is not null ? i < lengths.Length ? lengths[i] : throw context.Error("has more outputs than lengths")
                : open ? Dimension.Unknown : shape[axis] / context.OutputCount;
            context.Set(i, context.ElementType(0), shape.SetItem(axis, length));
            if (context.Elements(0) is { Shape.Length: 1 } e && lengths is not null && start + lengths[i] <= e.Elements.Length)
                context.SetElements(i, SymbolicTensor.Vector([.. e.Elements.Skip((int)start).Take((int)lengths[i])]));
            start += lengths?[i] ?? 0;
        }
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is not (> 0 and var rank))
            return;
        var axis = Indexing.Axis(context.Node.Int("axis"), rank);
        var lengths = Given(context.Opset) ? context.Node.Ints("split") : context.Integers(1);
        var isOpen = lengths is null && context.Opset >= 13 && context.Has(1);
        var size = context.Size(0, axis);
        if (lengths is null && !isOpen && size.IsConstant)
            lengths = Equal(size.Value, context.OutputCount);
        Dimension offset = 0;
        for (var i = 0; i < context.OutputCount; i++)
        {
            context.Same(0, i, axis);
            var length = lengths is not null && i < lengths.Length ? lengths[i] : Shapes.CeilDivide(size, context.OutputCount);
            if (isOpen || offset.IsUnknown)
                context.Set(i, axis, AxisKind.Mixed);
            else
                context.Link(AxesContext.In(0, axis) with { Offset = offset }, AxesContext.Out(i, axis), length);
            offset += length;
        }
    }

    public override string? Cut(CutContext context)
    {
        var axis = Indexing.Axis(context.Node.Int("axis"), context.Rank(0));
        if (!context.CutsInput(0, axis))
            return null;
        if (context.Node.Outputs.Any(static o => o.Name.Length == 0))
            return "a part is left out";
        context.SetIntegers("split", 1, 13, [.. Enumerable.Range(0, context.Node.Outputs.Count).Select(o => (long)context.OfOutput(o, axis).Length)]);
        context.Set("num_outputs", null);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var axis = Indexing.Axis(context.Node.Int("axis"), x.Rank);
        var lengths = (Given(context.Opset) ? context.Node.Ints("split") : context.Optional(1) is { } s ? Numbers.Integers(s) : null)
            ?? Equal(x.Shape[axis], context.OutputCount);
        context.Require(lengths.Length == context.OutputCount && lengths.Sum() == x.Shape[axis] && lengths.All(l => l >= 0),
            $"the lengths [{string.Join(',', lengths)}] do not divide {x.Shape[axis]}");
        var start = 0L;
        for (var i = 0; i < lengths.Length; i++)
        {
            context.Set(i, Apply(x, axis, start, lengths[i]));
            start += lengths[i];
        }
    }

    /// <summary>A part of a tensor along an axis.</summary>
    public static Tensor Apply(Tensor x, int axis, long start, long length)
    {
        var strides = Indexing.Strides(x.Shape.AsSpan());
        var shape = x.Shape.SetItem(axis, length);
        return Elements.Select(x, shape, Indexing.Positions(shape.AsSpan(), strides, start * strides[axis]));
    }

    private static bool Given(long opset) => opset < 13;

    // The last part may be smaller.
    private static long[] Equal(long length, int parts)
    {
        var size = (length + parts - 1) / parts;
        return [.. Enumerable.Range(0, parts).Select(i => Math.Clamp(length - i * size, 0, size))];
    }
}
