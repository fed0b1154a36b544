namespace ModelBuild.Onnx.Operators;

/// <summary>Tensors one after the other along an axis.</summary>
internal sealed class Concat : Operator
{
    public override string Name => "Concat";

    public override void Infer(InferenceContext context)
    {
        var type = Enumerable.Range(0, context.InputCount).Select(context.ElementType).FirstOrDefault(t => t != ElementType.Undefined);
        var shapes = Enumerable.Range(0, context.InputCount).Select(context.Shape).ToArray();
        var known = shapes.FirstOrDefault(s => !s.IsDefault);
        if (known.IsDefault)
        {
            context.Set(0, type);
            return;
        }
        var axis = Indexing.Axis(context.Node.Int("axis", 1), known.Length);
        var result = known.ToArray();
        Dimension sum = 0;
        foreach (var shape in shapes)
        {
            if (shape.IsDefault)
            {
                sum = Dimension.Unknown;
                continue;
            }
            context.Require(shape.Length == known.Length, "the inputs have different numbers of dimensions");
            sum += shape[axis];
            for (var i = 0; i < result.Length; i++)
                if (i != axis && (result[i].IsUnknown || !result[i].IsConstant && shape[i].IsConstant))
                    result[i] = shape[i];
                else
                    context.Require(i == axis || !result[i].IsConstant || !shape[i].IsConstant || result[i] == shape[i],
                        $"dimension {i} is {result[i]} and {shape[i]}");
        }
        result[axis] = sum;
        context.Set(0, type, [.. result]);
        if (known.Length != 1)
            return;
        var elements = new List<Dimension>();
        for (var i = 0; i < context.InputCount; i++)
        {
            if (context.Vector(i) is not { } v || !ElementTypes.IsInteger(type))
                return;
            elements.AddRange(v);
        }
        context.SetElements(0, SymbolicTensor.Vector([.. elements]));
    }

    public override void Axes(AxesContext context)
    {
        var rank = context.OutputRank(0);
        if (rank < 1)
            return;
        var axis = Indexing.Axis(context.Node.Int("axis", 1), rank);
        Dimension offset = 0;
        for (var i = 0; i < context.InputCount; i++)
        {
            context.Same(i, 0, axis);
            var size = context.Size(i, axis);
            if (!offset.IsUnknown)
                context.Link(AxesContext.In(i, axis), AxesContext.Out(0, axis) with { Offset = offset }, size);
            offset += size;
        }
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var parts = Enumerable.Range(0, context.InputCount).Select(context.Input).ToArray();
        var axis = Indexing.Axis(context.Node.Int("axis", 1), parts[0].Rank);
        context.Require(parts.All(p => p.ElementType == parts[0].ElementType), "the inputs have different element types");
        context.Set(0, Apply(parts, axis));
    }

    /// <summary>Tensors of one element type one after the other.</summary>
    public static Tensor Apply(IReadOnlyList<Tensor> parts, int axis)
    {
        var first = parts[0];
        foreach (var p in parts)
            if (p.Rank != first.Rank || p.Shape.Where((d, i) => i != axis && d != first.Shape[i]).Any())
                throw new InvalidOperationException($"{first} and {p} do not fit along axis {axis}");
        var shape = first.Shape.SetItem(axis, parts.Sum(p => p.Shape[axis]));
        var outer = Indexing.Product(first.Shape.AsSpan(), 0, axis);
        var inner = Indexing.Product(first.Shape.AsSpan(), axis + 1, first.Rank);
        var positions = new int[Indexing.Length(shape)];
        var at = 0;
        for (var o = 0L; o < outer; o++)
        {
            var start = 0L;
            foreach (var p in parts)
            {
                var block = p.Shape[axis] * inner;
                for (var k = 0L; k < block; k++)
                    positions[at++] = (int)(start + o * block + k);
                start += p.Length;
            }
        }
        return Elements.Select(Elements.Chain(parts, first.ElementType), shape, positions);
    }
}
