using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Elements put back to where MaxPool found them; zeros elsewhere.</summary>
internal sealed class MaxUnpool : Operator
{
    public override string Name => "MaxUnpool";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        context.Set(0, context.ElementType(0), context.Has(2) ? context.Vector(2) ?? default(ImmutableArray<Dimension>)
            : shape.IsDefault ? default : [shape[0], shape[1], .. shape.Skip(2).Select((d, i) => Length(context.Node, i, d))]);
    }

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Indices, 2 => InputRole.Parameter, _ => InputRole.Activation };

    public override void Axes(AxesContext context) => context.Rest(AxisKind.Mixed);

    public override void Execute(ExecutionContext context)
    {
        var (x, indices) = (context.Input(0), Numbers.Integers(context.Input(1)));
        long[] own = [x.Shape[0], x.Shape[1], .. x.Shape.Skip(2).Select((d, i) => Length(context.Node, i, d).Value)];
        ImmutableArray<long> shape = context.Optional(2) is { } s ? [.. Numbers.Integers(s)] : [.. own];
        var values = Numbers.Doubles(x);
        var result = new double[Indexing.Length(shape)];
        var (ownStrides, strides) = (Indexing.Strides(own), Indexing.Strides(shape.AsSpan()));
        context.Require(indices.Length == values.Length, "there must be one index per element");
        for (var i = 0; i < values.Length; i++)
        {
            // Indices count in the shape that pooling came from; another output shape only makes room.
            long at = 0;
            for (var d = 0; d < own.Length; d++)
                at += indices[i] / ownStrides[d] % own[d] * strides[d];
            result[at] = values[i];
        }
        context.Set(0, Numbers.Of(x.ElementType, shape, result));
    }

    private static Dimension Length(Node node, int d, Dimension input)
    {
        var kernel = node.Ints("kernel_shape") ?? throw new InvalidOperationException("has no kernel_shape");
        var pads = node.Ints("pads");
        return (input - 1) * (node.Ints("strides")?[d] ?? 1) + kernel[d] - (pads is null ? 0 : pads[d] + pads[d + kernel.Length]);
    }
}
