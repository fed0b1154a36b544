namespace ModelBuild.Compression.Metrics;

/// <summary>How far original and candidate are from what the answer should be, value by value.</summary>
internal static class Distance
{
    /// <summary>Sums over the values that can be compared.</summary>
    /// <param name="Count">How many there are.</param>
    /// <param name="Finite">How many of them are finite.</param>
    /// <param name="Sum">Of the finite values that should be.</param>
    /// <param name="Power">Of their squares.</param>
    /// <param name="Original">Squared differences of the original; 0 where it is itself what should be.</param>
    /// <param name="Compressed">Squared differences of the candidate; infinite where it gives no number.</param>
    public readonly record struct Sums(double Count, double Finite, double Sum, double Power, double Original, double Compressed);

    /// <summary>Adds up one sample.</summary>
    public static Sums Of(in JudgedAnswer answer)
    {
        ReadOnlySpan<float> target = answer.Target, original = answer.Original, compressed = answer.Compressed;
        double count = 0, finite = 0, sum = 0, power = 0, fromOriginal = 0, fromCompressed = 0;
        for (var i = 0; i < target.Length; i++)
        {
            if (float.IsNaN(target[i]) || float.IsNaN(original[i]))
                continue;
            count++;
            // An infinity is met by the same one alone, and is no power of a signal.
            if (float.IsInfinity(target[i]))
            {
                fromOriginal += target[i] == original[i] ? 0 : double.PositiveInfinity;
                fromCompressed += target[i] == compressed[i] ? 0 : double.PositiveInfinity;
                continue;
            }
            double o = target[i] - (double)original[i], c = target[i] - (double)compressed[i];
            finite++;
            sum += target[i];
            power += (double)target[i] * target[i];
            fromOriginal += o * o;
            fromCompressed += double.IsNaN(c) ? double.PositiveInfinity : c * c;
        }
        return new(count, finite, sum, power, fromOriginal, fromCompressed);
    }
}
