namespace ModelBuild.Onnx;

/// <summary>Functions that <see cref="Math"/> lacks, in binary64.</summary>
internal static class SpecialFunctions
{
    /// <summary>1 / (1 + exp(-x)), without overflow.</summary>
    public static double Sigmoid(double x)
    {
        if (x >= 0)
            return 1 / (1 + Math.Exp(-x));
        var e = Math.Exp(x);
        return e / (1 + e);
    }

    /// <summary>log(1 + exp(x)), without overflow.</summary>
    public static double Softplus(double x) => x > 0 ? x + double.LogP1(Math.Exp(-x)) : double.LogP1(Math.Exp(x));

    /// <summary>The error function, to about 1e-15: its Taylor series near 0, the continued fraction of its complement beyond (Abramowitz and Stegun 7.1.5,
    /// 7.1.14).</summary>
    public static double Erf(double x)
    {
        if (double.IsNaN(x))
            return x;
        var a = Math.Abs(x);
        if (a > 6)
            return Math.Sign(x);
        if (a < 2.5)
        {
            double term = x, sum = x;
            for (var n = 1; n < 100 && Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
            {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            return 2 / Math.Sqrt(Math.PI) * sum;
        }
        double fraction = 0;
        for (var n = 60; n >= 1; n--)
            fraction = n / 2.0 / (a + fraction);
        return Math.Sign(x) * (1 - Math.Exp(-a * a) / Math.Sqrt(Math.PI) / (a + fraction));
    }
}
