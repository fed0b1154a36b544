using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor made larger (or, by negative amounts, smaller) at the ends of its axes: with a constant, reflected, with the edge, or wrapped
/// around.</summary>
internal sealed class Pad : Operator
{
    public override string Name => "Pad";

    public override int FirstVersion => 2;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var pads = context.Opset < 11 ? context.Node.Ints("pads")?.Select(static v => Dimension.Of(v)).ToImmutableArray() : context.Vector(1);
        var axes = context.Has(3) ? context.ConstantIntegers(3) : shape.IsDefault ? null : [.. Enumerable.Range(0, shape.Length).Select(static i => (long)i)];
        if (shape.IsDefault || pads is not { } p || axes is null)
        {
            context.Set(0, context.ElementType(0), shape.IsDefault ? default : Shapes.OfRank(shape.Length));
            return;
        }
        context.Require(p.Length == 2 * axes.Length, $"{p.Length} pads do not fit {axes.Length} axes");
        var dims = shape.ToArray();
        for (var i = 0; i < axes.Length; i++)
            dims[Indexing.Axis(axes[i], dims.Length)] += p[i] + p[axes.Length + i];
        context.Set(0, context.ElementType(0), [.. dims]);
    }

    public override InputRole Role(Node node, int input) => input > 0 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
            return;
        var isConstant = context.Node.String("mode", "constant") == "constant";
        var pads = Pads(context);
        for (var axis = 0; axis < shape.Length; axis++)
        {
            var (before, after) = pads is null ? (Dimension.Unknown, Dimension.Unknown) : pads[axis];
            if (before == 0 && after == 0)
                context.Link(0, axis, 0, axis);
            // Negative pads cut off.
            else if (isConstant && before.IsConstant && (after.IsConstant || before.Value >= 0 && Shapes.IsNotNegative(after)))
                context.Link(AxesContext.In(0, axis) with { Offset = Math.Max(0, -before.Value) },
                    AxesContext.Out(0, axis) with { Offset = Math.Max(0, before.Value) },
                    shape[axis] + Math.Min(0, before.Value) + (after.IsConstant ? Math.Min(0, after.Value) : 0));
            else
                context.Set(0, axis, AxisKind.Mixed);
        }
    }

    /// <summary>What is added before and after each axis; null where that is not known of which axes.</summary>
    private static (Dimension Before, Dimension After)[]? Pads(AxesContext context)
    {
        var rank = context.Rank(0);
        var pads = context.Opset < 11 ? context.Node.Ints("pads")?.Select(static v => Dimension.Of(v)).ToImmutableArray() : context.Elements(1);
        var axes = context.Has(3) ? context.Integers(3) : [.. Enumerable.Range(0, rank).Select(static i => (long)i)];
        if (pads is not { } p || axes is null)
            return null;
        var result = Enumerable.Repeat((Dimension.Of(0), Dimension.Of(0)), rank).ToArray();
        for (var i = 0; i < axes.Length; i++)
            result[Indexing.Axis(axes[i], rank)] = (p[i], p[axes.Length + i]);
        return result;
    }

    public override string? Cut(CutContext context)
    {
        var rank = context.Rank(0);
        if (!Enumerable.Range(0, rank).Any(i => context.CutsInput(0, i) || context.CutsOutput(0, i)))
            return null;
        var pads = context.Opset < 11 ? context.Node.Ints("pads") : context.Integers(1);
        var axes = context.Has(3) ? context.Integers(3) : [.. Enumerable.Range(0, rank).Select(static i => (long)i)];
        if (pads is null || axes is null)
            return "the pads are not constant";
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = Indexing.Axis(axes[i], rank);
            if (!context.CutsInput(0, axis) && !context.CutsOutput(0, axis))
                continue;
            var (before, after) = (pads[i], pads[axes.Length + i]);
            if (before < 0 || after < 0)
                return "a cut axis has negative pads";
            var end = before + context.Length(NodeAxis.OfInput(0, axis));
            var kept = context.OfOutput(0, axis);
            (pads[i], pads[axes.Length + i]) = (kept.Count(j => j < before), kept.Count(j => j >= end));
        }
        context.SetIntegers("pads", 1, 11, pads);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var pads = context.Opset < 11 ? context.Node.Ints("pads")! : Numbers.Integers(context.Input(1));
        var axes = context.Optional(3) is { } a ? Numbers.Integers(a) : [.. Enumerable.Range(0, x.Rank).Select(static i => (long)i)];
        context.Require(pads.Length == 2 * axes.Length, $"{pads.Length} pads do not fit {axes.Length} axes");
        var before = new long[x.Rank];
        var shape = x.Shape.ToArray();
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = Indexing.Axis(axes[i], x.Rank);
            before[axis] = pads[i];
            shape[axis] += pads[i] + pads[axes.Length + i];
            context.Require(shape[axis] >= 0, $"axis {axis} would have a negative length");
        }
        var fill = context.Opset < 11 ? Numbers.Of(x.ElementType, [], [(double)context.Node.Float("value")]) : context.Optional(2);
        context.Set(0, Apply(x, [.. shape], before, context.Node.String("mode", "constant"), fill));
    }

    /// <summary>A tensor placed into another shape, its first element at <paramref name="before"/>.</summary>
    public static Tensor Apply(Tensor x, ImmutableArray<long> shape, long[] before, string mode, Tensor? fill)
    {
        var strides = Indexing.Strides(x.Shape.AsSpan());
        // Per axis: where each coordinate of the result comes from, or -1.
        var sources = new long[x.Rank][];
        for (var d = 0; d < x.Rank; d++)
        {
            sources[d] = new long[shape[d]];
            for (var i = 0L; i < shape[d]; i++)
                sources[d][i] = Source(i - before[d], x.Shape[d], mode);
        }
        var positions = new int[Indexing.Length(shape)];
        var at = new long[x.Rank];
        for (var i = 0; i < positions.Length; i++)
        {
            long position = 0;
            for (var d = 0; d < at.Length && position >= 0; d++)
                position = sources[d][at[d]] is >= 0 and var s ? position + s * strides[d] : -1;
            positions[i] = (int)position;
            for (var d = at.Length - 1; d >= 0 && ++at[d] == shape[d]; d--)
                at[d] = 0;
        }
        return Elements.Select(x, shape, positions, fill);
    }

    private static long Source(long i, long length, string mode) => mode switch
    {
        "constant" => i >= 0 && i < length ? i : -1,
        _ when length == 0 => throw new InvalidOperationException("an empty axis can only be padded with a constant"),
        "edge" => Math.Clamp(i, 0, length - 1),
        "reflect" => Reflect(i, length),
        "wrap" => (i % length + length) % length,
        _ => throw new InvalidOperationException($"unknown mode '{mode}'"),
    };

    private static long Reflect(long i, long length)
    {
        if (length == 1)
            return 0;
        var period = 2 * (length - 1);
        i = (i % period + period) % period;
        return i < length ? i : period - i;
    }
}
