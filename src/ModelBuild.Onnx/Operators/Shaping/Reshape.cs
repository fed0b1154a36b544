using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>The same elements under another shape; 0 copies a dimension (unless allowzero), -1 takes what is left.</summary>
internal sealed class Reshape : Operator
{
    public override string Name => "Reshape";

    public override void Infer(InferenceContext context)
    {
        var input = context.Shape(0);
        var wanted = context.Opset < 5
            ? context.Node.Ints("shape")?.Select(static d => Dimension.Of(d)).ToImmutableArray()
            : context.Vector(1);
        if (wanted is not { } target)
        {
            context.Set(0, context.ElementType(0));
            return;
        }
        var keepZero = context.Node.Int("allowzero") != 0;
        var dims = new Dimension[target.Length];
        var open = -1;
        var several = false;
        for (var i = 0; i < dims.Length; i++)
        {
            var d = target[i];
            if (d.IsConstant && d.Value == 0 && !keepZero)
                dims[i] = input.IsDefault ? Dimension.Unknown : i < input.Length ? input[i]
                    : throw context.Error($"dimension {i} cannot be copied from {input.Length} dimensions");
            else if (d.IsUnknown || d.IsConstant && d.Value == -1)
            {
                several = open >= 0;
                open = i;
            }
            else
                dims[i] = d;
        }
        // The one dimension that is not known takes what is left, whether it was written as -1 or not.
        if (open >= 0 && !several && !input.IsDefault)
            dims[open] = Rest(input, dims.Where((_, i) => i != open));
        else if (open < 0 && !input.IsDefault)
            NameAsInput(dims, input);
        context.Set(0, context.ElementType(0), [.. dims]);
        if (context.Elements(0) is { } elements && dims.All(static d => d.IsConstant))
            context.SetElements(0, elements with { Shape = [.. dims.Select(static d => d.Value)] });
    }

    /// <summary>
    /// A size is never larger than what it is broadcast to with another. Where the target asks for such sizes and all else has as many elements on both sides,
    /// equal numbers of elements mean that nothing was broadcast: the dimensions are those of the input, and are named so.
    /// </summary>
    private static void NameAsInput(Dimension[] dims, ImmutableArray<Dimension> input)
    {
        var broadcast = Enumerable.Range(0, Math.Min(dims.Length, input.Length))
            .Where(i => dims[i].Expression is { } d && input[i].Expression?.IsBroadcastFrom(d) == true).ToArray();
        if (broadcast.Length == 0)
            return;
        var (rest, wanted) = (Shapes.Product(input.Where((_, i) => !broadcast.Contains(i))), Shapes.Product(dims.Where((_, i) => !broadcast.Contains(i))));
        if (rest.IsUnknown || rest != wanted)
            return;
        foreach (var i in broadcast)
            dims[i] = input[i];
    }

    private static Dimension Rest(ImmutableArray<Dimension> input, IEnumerable<Dimension> others)
    {
        // Equal factors leave both sides first, so that unknown ones do not matter where they are only passed on.
        var left = input.ToList();
        var right = new List<Dimension>();
        foreach (var d in others)
            if (d.IsUnknown || !left.Remove(d))
                right.Add(d);
        var (total, rest) = (Shapes.Product(left), Shapes.Product(right));
        return rest.IsConstant && rest.Value == 0 ? 0 : total / rest;
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context) => ReshapeAxes.State(context);

    public override string? Cut(CutContext context)
    {
        if (ReshapeAxes.Cut(context) is { } reason)
            return reason;
        var stated = context.Opset < 5 ? context.Node.Ints("shape")?.Select(static d => Dimension.Of(d)).ToImmutableArray() : context.Known.Elements(1);
        if (stated is not { } wanted)
            return "the shape is not known";
        var (from, target, open) = (context.Known.Shape(0), new long[wanted.Length], false);
        for (var i = 0; i < target.Length; i++)
        {
            // A size that has a name is copied, or is the one that is left.
            var keepsName = !wanted[i].IsUnknown && i < from.Length && wanted[i] == from[i] && context.Node.Int("allowzero") == 0;
            target[i] = context.CutsOutput(0, i) ? context.OfOutput(0, i).Length : wanted[i].IsConstant ? wanted[i].Value : keepsName ? 0 : -1;
            if (target[i] == -1 && open)
                return "two sizes of the shape are not known";
            open |= target[i] == -1;
        }
        context.SetIntegers("shape", 1, 5, target);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var target = context.Opset < 5 ? context.Node.Ints("shape")! : Numbers.Integers(context.Input(1));
        var shape = (long[])target.Clone();
        var open = -1;
        for (var i = 0; i < shape.Length; i++)
            if (shape[i] == 0 && context.Node.Int("allowzero") == 0)
                shape[i] = x.Shape[i];
            else if (shape[i] == -1)
            {
                context.Require(open < 0, "two dimensions are -1");
                open = i;
            }
        if (open >= 0)
        {
            shape[open] = 1;
            var rest = Tensor.Count(shape);
            shape[open] = rest == 0 ? 0 : x.Length / rest;
        }
        context.Require(Tensor.Count(shape) == x.Length, $"{x} cannot take the shape [{string.Join(',', target)}]");
        context.Set(0, x.Reshape(shape));
    }
}
