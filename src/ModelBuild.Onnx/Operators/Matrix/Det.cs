namespace ModelBuild.Onnx.Operators;

/// <summary>Determinants of square matrices.</summary>
internal sealed class Det : Operator
{
    public override string Name => "Det";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) =>
        context.Set(0, context.ElementType(0), context.Shape(0) is { IsDefault: false } s ? [.. s.Take(s.Length - 2)] : default);

    public override void Axes(AxesContext context)
    {
        for (var i = 0; i < context.Rank(0) - 2; i++)
            context.Link(0, i, 0, i);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var n = (int)x.Shape[^1];
        context.Require(x.Rank >= 2 && x.Shape[^2] == n, "the matrices must be square");
        var values = Numbers.Doubles(x);
        var shape = x.Shape[..^2];
        var result = new double[Indexing.Length(shape)];
        for (var i = 0; i < result.Length; i++)
            result[i] = Of(values.AsSpan(i * n * n, n * n), n);
        context.Set(0, Numbers.Of(x.ElementType, shape, result));
    }

    // Elimination with the largest pivot of each column.
    private static double Of(Span<double> a, int n)
    {
        double result = 1;
        for (var c = 0; c < n; c++)
        {
            var pivot = c;
            for (var r = c + 1; r < n; r++)
                if (Math.Abs(a[r * n + c]) > Math.Abs(a[pivot * n + c]))
                    pivot = r;
            if (a[pivot * n + c] == 0)
                return 0;
            if (pivot != c)
            {
                for (var k = 0; k < n; k++)
                    (a[c * n + k], a[pivot * n + k]) = (a[pivot * n + k], a[c * n + k]);
                result = -result;
            }
            result *= a[c * n + c];
            for (var r = c + 1; r < n; r++)
            {
                var factor = a[r * n + c] / a[c * n + c];
                for (var k = c; k < n; k++)
                    a[r * n + k] -= factor * a[c * n + k];
            }
        }
        return result;
    }
}
