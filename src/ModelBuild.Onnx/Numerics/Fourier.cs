namespace ModelBuild.Onnx;

/// <summary>The discrete Fourier transform by its definition: every bin a sum over all samples, in binary64.</summary>
internal static class Fourier
{
    /// <summary>Transforms one signal.</summary>
    /// <param name="real">Real parts; samples beyond <paramref name="length"/> are not looked at, missing ones are zero.</param>
    /// <param name="imaginary">Imaginary parts, as many.</param>
    /// <param name="length">The length of the transform.</param>
    /// <param name="inverse">Whether to go back, which divides by the length.</param>
    /// <param name="bins">Receives the first bins, each as real and imaginary part.</param>
    public static void Transform(ReadOnlySpan<double> real, ReadOnlySpan<double> imaginary, int length, bool inverse, Span<double> bins)
    {
        var samples = Math.Min(real.Length, length);
        WorkBudget.Charge((double)samples * bins.Length + length);
        // Angles repeat after the length: a table keeps them exact, however large the product of bin and sample.
        var turn = (inverse ? 2 : -2) * Math.PI / length;
        var table = new (double Cos, double Sin)[length];
        for (var i = 0; i < length; i++)
            table[i] = (Math.Cos(turn * i), Math.Sin(turn * i));
        var scale = inverse ? 1.0 / length : 1;
        for (var k = 0; k < bins.Length / 2; k++)
        {
            double re = 0, im = 0;
            for (var n = 0; n < samples; n++)
            {
                var (cos, sin) = table[(int)((long)k * n % length)];
                re += real[n] * cos - imaginary[n] * sin;
                im += real[n] * sin + imaginary[n] * cos;
            }
            bins[2 * k] = re * scale;
            bins[2 * k + 1] = im * scale;
        }
    }
}
