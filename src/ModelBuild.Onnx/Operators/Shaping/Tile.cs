namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor repeated along every axis.</summary>
internal sealed class Tile : Operator
{
    public override string Name => "Tile";

    public override int FirstVersion => 6;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        context.Set(0, context.ElementType(0), shape.IsDefault ? default
            : context.Vector(1) is { } r && r.Length == shape.Length ? [.. shape.Zip(r, static (d, n) => d * n)] : Shapes.OfRank(shape.Length));
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var repeats = Numbers.Integers(context.Input(1));
        context.Require(repeats.Length == x.Rank && repeats.All(r => r >= 0), "there must be one number of repeats per dimension");
        // Every axis as two: which copy (standing still), and where in it.
        var strides = Indexing.Strides(x.Shape.AsSpan());
        var positions = Indexing.Positions([.. x.Shape.SelectMany((d, i) => new[] { repeats[i], d })], [.. strides.SelectMany(s => new[] { 0, s })]);
        context.Set(0, Elements.Select(x, [.. x.Shape.Select((d, i) => d * repeats[i])], positions));
    }
}
