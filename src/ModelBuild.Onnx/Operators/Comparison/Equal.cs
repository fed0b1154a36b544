namespace ModelBuild.Onnx.Operators;

/// <summary>Whether a == b, element by element, broadcast.</summary>
internal sealed class Equal : ComparisonOperator
{
    public override string Name => "Equal";

    public override void Infer(InferenceContext context)
    {
        base.Infer(context);
        if (context.Elements(0) is { } a && context.Elements(1) is { } b)
            SymbolicBroadcast.Set(context, a, b, static (x, y) => x == y && !x.IsUnknown ? 1
                : x.IsConstant && y.IsConstant || Differ(x, y) || Differ(y, x) ? 0 : Dimension.Unknown);
    }

    // Exporters test sizes for -1.
    private static bool Differ(Dimension size, Dimension number) => number.IsConstant && number.Value < 0 && Shapes.IsNotNegative(size);

    protected override bool Compare(double a, double b) => a == b;

    protected override bool Compare(long a, long b) => a == b;

    protected override bool CompareUnsigned(long a, long b) => a == b;

    protected override bool Compare(string a, string b) => a == b;
}
