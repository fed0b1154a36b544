namespace ModelBuild.Onnx.Operators;

/// <summary>Product along axes.</summary>
internal sealed class ReduceProd : ReduceOperator
{
    public override string Name => "ReduceProd";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        double product = 1;
        foreach (var v in values)
            product *= v;
        return product;
    }

    protected override long Reduce(ReadOnlySpan<long> values, ElementType type)
    {
        long product = 1;
        foreach (var v in values)
            product = unchecked(product * v);
        return product;
    }

    protected override Dimension? Reduce(IEnumerable<Dimension> elements) => Shapes.Product(elements);
}
