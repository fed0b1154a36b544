namespace ModelBuild.Onnx.Operators;

/// <summary>The slices along an axis, or the elements, for which a condition holds.</summary>
internal sealed class Compress : Operator
{
    public override string Name => "Compress";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (!context.Node.Attributes.ContainsKey("axis"))
            context.Set(0, context.ElementType(0), Shapes.OfRank(1));
        else
            context.Set(0, context.ElementType(0), shape.IsDefault ? default : shape.SetItem(Indexing.Axis(context.Node.Int("axis"), shape.Length), Dimension.Unknown));
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var flat = !context.Node.Attributes.ContainsKey("axis");
        var source = flat ? x.Reshape(x.Length) : x;
        var axis = flat ? 0 : Indexing.Axis(context.Node.Int("axis"), x.Rank);
        var condition = Numbers.Integers(context.Input(1));
        var chosen = Enumerable.Range(0, (int)Math.Min(condition.Length, source.Shape[axis])).Where(i => condition[i] != 0).Select(static i => (long)i).ToArray();
        context.Set(0, Gather.Apply(source, Tensor.Vector(chosen), axis));
    }
}
