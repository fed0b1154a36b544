namespace ModelBuild.Onnx.Operators;

/// <summary>Whether a &gt; b, element by element, broadcast.</summary>
internal sealed class Greater : ComparisonOperator
{
    public override string Name => "Greater";

    protected override bool Compare(double a, double b) => a > b;

    protected override bool Compare(long a, long b) => a > b;

    protected override bool CompareUnsigned(long a, long b) => (ulong)a > (ulong)b;
}
