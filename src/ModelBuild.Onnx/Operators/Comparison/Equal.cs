namespace ModelBuild.Onnx.Operators;

/// <summary>Whether a == b, element by element, broadcast.</summary>
internal sealed class Equal : ComparisonOperator
{
    public override string Name => "Equal";

    protected override bool Compare(double a, double b) => a == b;

    protected override bool Compare(long a, long b) => a == b;

    protected override bool CompareUnsigned(long a, long b) => a == b;

    protected override bool Compare(string a, string b) => a == b;
}
