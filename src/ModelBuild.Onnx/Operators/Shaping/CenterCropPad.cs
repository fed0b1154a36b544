namespace ModelBuild.Onnx.Operators;

/// <summary>Axes cut or filled with zeros around their middle to given lengths.</summary>
internal sealed class CenterCropPad : Operator
{
    public override string Name => "CenterCropPad";

    public override int FirstVersion => 18;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
        {
            context.Set(0, context.ElementType(0));
            return;
        }
        var dims = shape.ToArray();
        var axes = Axes(context.Node, dims.Length);
        var sizes = context.Vector(1);
        for (var i = 0; i < axes.Length; i++)
            dims[axes[i]] = sizes is { } s && i < s.Length ? s[i] : Dimension.Unknown;
        context.Set(0, context.ElementType(0), [.. dims]);
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
            return;
        var axes = Axes(context.Node, shape.Length);
        var sizes = context.Elements(1);
        for (var axis = 0; axis < shape.Length; axis++)
        {
            var i = Array.IndexOf(axes, axis);
            if (i < 0 || sizes is { } s && i < s.Length && s[i] == shape[axis] && !shape[axis].IsUnknown)
                context.Link(0, axis, 0, axis);
            else if (sizes is { } t && i < t.Length && t[i].IsConstant && shape[axis].IsConstant)
            {
                var difference = t[i].Value - shape[axis].Value;
                context.Link(AxesContext.In(0, axis) with { Offset = Math.Max(0, -difference / 2) },
                    AxesContext.Out(0, axis) with { Offset = Math.Max(0, difference / 2) },
                    Math.Min(t[i].Value, shape[axis].Value));
            }
            else
                context.Set(0, axis, AxisKind.Mixed);
        }
    }

    public override string? Cut(CutContext context) =>
        Axes(context.Node, context.Rank(0)).Any(a => context.CutsInput(0, a) || context.CutsOutput(0, a)) ? "the center would lie elsewhere" : null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var sizes = Numbers.Integers(context.Input(1));
        var axes = Axes(context.Node, x.Rank);
        context.Require(sizes.Length == axes.Length, "there must be one size per axis");
        var shape = x.Shape.ToArray();
        var before = new long[x.Rank];
        for (var i = 0; i < axes.Length; i++)
        {
            var difference = sizes[i] - shape[axes[i]];
            // What cannot be halved is more at the end when filling, and when cutting.
            before[axes[i]] = difference >= 0 ? difference / 2 : -(-difference / 2);
            shape[axes[i]] = sizes[i];
        }
        context.Set(0, Pad.Apply(x, [.. shape], before, "constant", null));
    }

    private static int[] Axes(Node node, int rank) => node.Ints("axes")?.Select(a => Indexing.Axis(a, rank)).ToArray() ?? [.. Enumerable.Range(0, rank)];
}
