using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Ranges along axes, with steps; attributes up to operator set 9, inputs later.</summary>
internal sealed class Slice : Operator
{
    public override string Name => "Slice";

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var (starts, ends) = (Argument(context, "starts", 1), Argument(context, "ends", 2));
        var axesGiven = context.Opset < 10 ? context.Node.Attributes.ContainsKey("axes") : context.Has(3);
        var axes = axesGiven ? context.Opset < 10 ? context.Node.Ints("axes") : context.ConstantIntegers(3)
            : starts is null ? null : [.. Enumerable.Range(0, starts.Value.Length).Select(static i => (long)i)];
        if (shape.IsDefault || axes is null || starts is not { } s || ends is not { } e)
        {
            context.Set(0, context.ElementType(0), shape.IsDefault ? default : Shapes.OfRank(shape.Length));
            return;
        }
        var steps = context.Opset >= 10 && context.Has(4) ? context.Vector(4) : [.. Enumerable.Repeat(Dimension.Of(1), axes.Length)];
        context.Require(s.Length == axes.Length && e.Length == axes.Length && (steps is null || steps.Value.Length == axes.Length),
            "starts, ends, axes and steps have different lengths");
        var dims = shape.ToArray();
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = Indexing.Axis(axes[i], dims.Length);
            dims[axis] = steps is { } st && st[i].IsConstant ? Length(dims[axis], s[i], e[i], st[i].Value) : Dimension.Unknown;
        }
        context.Set(0, context.ElementType(0), [.. dims]);
        if (context.Elements(0) is { Shape.Length: 1 } elements && steps is { } p && s[0].IsConstant && e[0].IsConstant && p[0].IsConstant && p[0].Value != 0)
        {
            var (start, count) = Range(elements.Shape[0], s[0].Value, e[0].Value, p[0].Value);
            context.SetElements(0, elements.Select([count], Indexing.Positions([count], [p[0].Value], start)));
        }
    }

    public override InputRole Role(Node node, int input) => input > 0 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
            return;
        var (starts, ends, steps, axes) = Arguments(context);
        if (starts is not { } s || ends is not { } e || axes is null)
        {
            context.Rest(AxisKind.Mixed);
            return;
        }
        for (var axis = 0; axis < shape.Length; axis++)
        {
            var i = Array.FindLastIndex(axes, a => Indexing.Axis(a, shape.Length) == axis);
            if (i < 0)
                context.Link(0, axis, 0, axis);
            else if (From(shape[axis], s[i], e[i], steps is { } p ? p[i] : 1) is { } from)
                context.Link(AxesContext.In(0, axis) with { Offset = from.Offset, Inner = Math.Abs(from.Step), IsDescending = from.Step < 0 },
                    AxesContext.Out(0, axis), context.OutputSize(0, axis));
            else
                context.Set(0, axis, AxisKind.Mixed);
        }
    }

    /// <summary>Where a range begins, and its step; null where that is not known.</summary>
    private static (Dimension Offset, long Step)? From(Dimension size, Dimension start, Dimension end, Dimension step)
    {
        const long far = int.MaxValue;
        if (start.IsUnknown || !step.IsConstant || step.Value == 0)
            return null;
        if (size.IsConstant && start.IsConstant && end.IsConstant)
            return (Range(size.Value, start.Value, end.Value, step.Value).Start, step.Value);
        if (step.Value > 0)
            return (start.IsConstant && start.Value < 0 ? size + start : start, step.Value);
        return start.IsConstant && (start.Value == -1 || start.Value >= far) ? (size - 1, step.Value) : null;
    }

    private static (ImmutableArray<Dimension>? Starts, ImmutableArray<Dimension>? Ends, ImmutableArray<Dimension>? Steps, long[]? Axes) Arguments(
        AxesContext context)
    {
        ImmutableArray<Dimension>? Of(string attribute, int index) => context.Opset < 10
            ? context.Node.Ints(attribute)?.Select(static v => Dimension.Of(v)).ToImmutableArray() : context.Elements(index);
        var (starts, ends) = (Of("starts", 1), Of("ends", 2));
        var isGiven = context.Opset < 10 ? context.Node.Attributes.ContainsKey("axes") : context.Has(3);
        var axes = isGiven ? context.Opset < 10 ? context.Node.Ints("axes") : context.Integers(3)
            : starts is null ? null : [.. Enumerable.Range(0, starts.Value.Length).Select(static i => (long)i)];
        var hasSteps = context.Opset >= 10 && context.Has(4);
        var steps = hasSteps ? context.Elements(4) : null;
        return hasSteps && steps is null ? (null, ends, null, axes) : (starts, ends, steps, axes);
    }

    public override string? Cut(CutContext context)
    {
        var rank = context.Rank(0);
        if (!Enumerable.Range(0, rank).Any(i => context.CutsInput(0, i) || context.CutsOutput(0, i)))
            return null;
        var (s, e, p, axes) = Arguments(context.Known);
        if (s is null || e is null || axes is null || !s.Value.Concat(e.Value).Concat(p ?? []).All(static d => d.IsConstant))
            return "the range is not constant";
        long[] starts = [.. s.Value.Select(static d => d.Value)], ends = [.. e.Value.Select(static d => d.Value)];
        long[] steps = p is { } given ? [.. given.Select(static d => d.Value)] : [.. Enumerable.Repeat(1L, starts.Length)];
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = Indexing.Axis(axes[i], rank);
            if (!context.CutsInput(0, axis) && !context.CutsOutput(0, axis))
                continue;
            var first = Range(context.Length(NodeAxis.OfInput(0, axis)), starts[i], ends[i], steps[i]).Start;
            var kept = context.OfInput(0, axis);
            var places = context.OfOutput(0, axis).Select(j => (long)Array.IndexOf(kept, first + steps[i] * j)).ToArray();
            var step = places.Length > 1 ? places[1] - places[0] : Math.Sign(steps[i]);
            if (places.Contains(-1) || places.Zip(places.Skip(1)).Any(x => x.Second - x.First != step))
                return "what is kept is no range";
            var end = places.Length == 0 ? 0 : places[^1] + Math.Sign(step);
            (starts[i], ends[i], steps[i]) = (places.FirstOrDefault(), end < 0 ? long.MinValue + 1 : end, step);
        }
        if (p is null && steps.Any(static x => x != 1))
            return "what is kept is no range";
        context.SetIntegers("starts", 1, 10, starts);
        context.SetIntegers("ends", 2, 10, ends);
        if (p is not null)
            context.SetIntegers(4, steps);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var starts = context.Opset < 10 ? context.Node.Ints("starts")! : Numbers.Integers(context.Input(1));
        var ends = context.Opset < 10 ? context.Node.Ints("ends")! : Numbers.Integers(context.Input(2));
        var axes = (context.Opset < 10 ? context.Node.Ints("axes") : context.Optional(3) is { } a ? Numbers.Integers(a) : null)
            ?? [.. Enumerable.Range(0, starts.Length).Select(static i => (long)i)];
        var steps = context.Opset >= 10 && context.Optional(4) is { } p ? Numbers.Integers(p) : [.. Enumerable.Repeat(1L, starts.Length)];
        var strides = Indexing.Strides(x.Shape.AsSpan());
        var shape = x.Shape.ToArray();
        long offset = 0;
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = Indexing.Axis(axes[i], x.Rank);
            context.Require(steps[i] != 0, "a step is 0");
            var (start, count) = Range(x.Shape[axis], starts[i], ends[i], steps[i]);
            offset += start * strides[axis];
            strides[axis] *= steps[i];
            shape[axis] = count;
        }
        context.Set(0, Elements.Select(x, [.. shape], Indexing.Positions(shape, strides, offset)));
    }

    /// <summary>Where a range begins and how many elements it has: negative positions count from the end, and both ends are limited to the dimension.</summary>
    public static (long Start, long Count) Range(long dimension, long start, long end, long step)
    {
        if (start < 0)
            start += dimension;
        if (end < 0)
            end += dimension;
        if (step > 0)
        {
            start = Math.Clamp(start, 0, dimension);
            end = Math.Clamp(end, 0, dimension);
            return (start, end > start ? (end - start - 1) / step + 1 : 0);
        }
        start = Math.Clamp(start, -1, dimension - 1);
        end = Math.Clamp(end, -1, dimension - 1);
        return (start, start > end ? (start - end - 1) / -step + 1 : 0);
    }

    private static Dimension Length(Dimension dimension, Dimension start, Dimension end, long step)
    {
        const long far = int.MaxValue;
        if (step == 0)
            return Dimension.Unknown;
        if (dimension.IsConstant && start.IsConstant && end.IsConstant)
            return Range(dimension.Value, start.Value, end.Value, step).Count;
        if (dimension.IsUnknown)
            return Dimension.Unknown;
        if (step < 0)
            return step == -1 && start.IsConstant && (start.Value == -1 || start.Value >= far) && end.IsConstant && end.Value <= -far ? dimension
                : Dimension.Unknown;
        if (start.IsUnknown || end.IsUnknown)
            return Dimension.Unknown;
        // A dimension with a name is taken to be long enough for the range that the model cuts out of it.
        var from = start.IsConstant && start.Value < 0 ? dimension + start : start;
        var to = end == dimension || end.IsConstant && end.Value >= far ? dimension
            : end.IsConstant && end.Value < 0 ? dimension + end
            : dimension.Expression is { } d && end.Expression is { } e ? Dimension.Of(DimensionExpression.Min(d, e)) : Dimension.Unknown;
        var length = to - from;
        return step == 1 ? length : Shapes.CeilDivide(length, step);
    }

    private static ImmutableArray<Dimension>? Argument(InferenceContext context, string attribute, int index) =>
        context.Opset < 10 ? context.Node.Ints(attribute)?.Select(static v => Dimension.Of(v)).ToImmutableArray() : context.Vector(index);
}
