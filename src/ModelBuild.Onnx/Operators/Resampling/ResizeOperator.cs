using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Resampling, as Resize and Upsample share it.</summary>
internal abstract class ResizeOperator : Operator
{
    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
        {
            context.Set(0, context.ElementType(0));
            return;
        }
        var axes = Axes(context.Node, shape.Length);
        var dims = shape.ToArray();
        var scales = Scales(context.Node, context.Constant(ScalesInput(context.Opset)));
        if (context.Opset >= 11 && context.Has(3))
        {
            var sizes = context.Vector(3);
            var stretch = context.Node.String("keep_aspect_ratio_policy", "stretch") == "stretch";
            for (var i = 0; i < axes.Length; i++)
                dims[axes[i]] = !stretch ? Dimension.Unknown : sizes is { } s && i < s.Length ? s[i] : Dimension.Unknown;
            if (!stretch && context.ConstantIntegers(3) is { } wanted && axes.All(a => shape[a].IsConstant))
                foreach (var (axis, size) in axes.Zip(Fit(context.Node, wanted, [.. axes.Select(a => shape[a].Value)])))
                    dims[axis] = size;
        }
        else
            for (var i = 0; i < axes.Length; i++)
                dims[axes[i]] = scales is not null && i < scales.Length ? Scaled(dims[axes[i]], scales[i]) : Dimension.Unknown;
        context.Set(0, context.ElementType(0), [.. dims]);
    }

    public override InputRole Role(Node node, int input) => input > 0 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
            return;
        var axes = Axes(context.Node, shape.Length);
        var scales = Scales(context.Node, context.Constant(ScalesInput(context.Opset)));
        var bySizes = context.Opset >= 11 && context.Has(3);
        var sizes = bySizes && context.Node.String("keep_aspect_ratio_policy", "stretch") == "stretch" ? context.Elements(3) : null;
        var crops = context.Node.String("coordinate_transformation_mode") == "tf_crop_and_resize";
        for (var axis = 0; axis < shape.Length; axis++)
        {
            var i = Array.IndexOf(axes, axis);
            // An axis that keeps its size is not resampled.
            var stays = i < 0 || !crops && (bySizes ? sizes is { } s && i < s.Length && s[i] == shape[axis] && !shape[axis].IsUnknown
                : scales is not null && i < scales.Length && scales[i] == 1);
            if (stays)
                context.Link(0, axis, 0, axis);
            else
                context.Set(0, axis, AxisKind.Mixed);
        }
    }

    public override string? Cut(CutContext context)
    {
        if (context.Opset < 11 || !context.Has(3))
            return null;
        var axes = Axes(context.Node, context.Rank(0));
        if (!axes.Any(a => context.CutsOutput(0, a)))
            return null;
        if (context.Integers(3) is not { } sizes)
            return "the sizes are not constant";
        context.SetIntegers(3, [.. sizes.Select((s, i) => context.CutsOutput(0, axes[i]) ? context.OfOutput(0, axes[i]).Length : s)]);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var node = context.Node;
        var axes = Axes(node, x.Rank);
        long[] lengths = [.. axes.Select(a => x.Shape[a])];
        var scales = Scales(node, context.Optional(ScalesInput(context.Opset)));
        long[] sizes;
        if (context.Opset >= 11 && context.Optional(3) is { } given)
        {
            var wanted = Numbers.Integers(given);
            context.Require(wanted.Length == axes.Length, "there must be one size per axis");
            sizes = Fit(node, wanted, lengths);
            // Stretched axes have a scale each; with a policy they share one.
            scales = node.String("keep_aspect_ratio_policy", "stretch") == "stretch" ? [.. sizes.Zip(lengths, static (s, n) => (double)s / n)]
                : [.. Enumerable.Repeat(SharedScale(node, wanted, lengths), axes.Length)];
        }
        else
        {
            context.Require(scales is not null && scales.Length == axes.Length, "there must be one scale per axis");
            sizes = [.. lengths.Zip(scales, static (n, s) => (long)Math.Floor(n * s))];
        }
        var region = context.Opset >= 11 && context.Optional(1) is { Length: > 0 } r ? Numbers.Doubles(r) : null;
        var values = Numbers.Doubles(x);
        var shape = x.Shape;
        bool[]? outside = null;
        for (var i = 0; i < axes.Length; i++)
        {
            var weights = new ResampleWeights(node, context.Opset, lengths[i], sizes[i], scales[i], region is null ? (0, 1)
                : (region[i], region[axes.Length + i]));
            if (!weights.IsIdentity)
                values = Apply(values, ref shape, axes[i], sizes[i], weights, ref outside);
        }
        if (outside is not null)
            for (var i = 0; i < values.Length; i++)
                if (outside[i])
                    values[i] = node.Float("extrapolation_value");
        if (ElementTypes.IsInteger(x.ElementType))
            values = Array.ConvertAll(values, static v => Math.Round(v, MidpointRounding.ToEven));
        context.Set(0, Numbers.Of(x.ElementType, shape, values));
    }

    /// <summary>The input of scales.</summary>
    private static int ScalesInput(long opset) => opset >= 11 ? 2 : 1;

    private static double[] Apply(double[] values, ref ImmutableArray<long> shape, int axis, long size, ResampleWeights weights, ref bool[]? outside)
    {
        var length = (int)shape[axis];
        var inner = (int)Indexing.Product(shape.AsSpan(), axis + 1, shape.Length);
        var outer = (int)Indexing.Product(shape.AsSpan(), 0, axis);
        shape = shape.SetItem(axis, size);
        var result = new double[Indexing.Length(shape)];
        var marks = outside is null && !weights.HasOutside ? null : new bool[result.Length];
        for (var o = 0; o < outer; o++)
            for (var p = 0; p < size; p++)
            {
                var target = result.AsSpan((int)((o * size + p) * inner), inner);
                foreach (var (at, weight) in weights.At(p))
                    LinearAlgebra.AddScaled(weight, values.AsSpan((o * length + at) * inner, inner), target);
                if (marks is not null)
                    for (var k = 0; k < inner; k++)
                        marks[(o * size + p) * inner + k] = weights.IsOutside(p) || outside is not null && weights.At(p).Any()
                            && outside[(o * length + weights.At(p)[0].At) * inner + k];
            }
        outside = marks;
        return result;
    }

    private static int[] Axes(Node node, int rank) => node.Ints("axes")?.Select(a => Indexing.Axis(a, rank)).ToArray() ?? [.. Enumerable.Range(0, rank)];

    private static double[]? Scales(Node node, Tensor? input) => node.Floats("scales") is { } f ? [.. f.Select(static v => (double)v)]
        : input is { Length: > 0 } ? Numbers.Doubles(input) : null;

    private static double SharedScale(Node node, long[] wanted, long[] lengths)
    {
        var scales = wanted.Zip(lengths, static (s, n) => (double)s / n);
        return node.String("keep_aspect_ratio_policy") == "not_larger" ? scales.Min() : scales.Max();
    }

    private static long[] Fit(Node node, long[] wanted, long[] lengths) => node.String("keep_aspect_ratio_policy", "stretch") == "stretch" ? wanted
        : [.. lengths.Select(n => (long)(SharedScale(node, wanted, lengths) * n + 0.5))];

    private static Dimension Scaled(Dimension d, double scale)
    {
        if (d.IsConstant)
            return (long)Math.Floor(d.Value * scale);
        return scale == Math.Floor(scale) ? d * (long)scale : 1 / scale == Math.Floor(1 / scale) ? d / (long)(1 / scale) : Dimension.Unknown;
    }
}
