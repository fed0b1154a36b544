namespace ModelBuild.Compression.Metrics;

/// <summary>Rows of class scores: logits or probabilities.</summary>
public static class ClassScores
{
    /// <summary>The class with the highest score, the first of equals; -1 where a score is not a number.</summary>
    public static int ArgMax(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (float.IsNaN(scores[i]))
                return -1;
            if (scores[i] > scores[best])
                best = i;
        }
        return best;
    }

    /// <summary>The class with the highest score of each row; -1 where a score is not a number.</summary>
    public static long[] Best(ReadOnlySpan<float> scores, OutputShape shape)
    {
        var best = new long[shape.Rows];
        for (var row = 0; row < best.Length; row++)
            best[row] = ArgMax(scores.Slice(row * shape.Classes, shape.Classes));
        return best;
    }

    /// <summary>Whether a row already holds probabilities: none below 0, their sum 1.</summary>
    public static bool AreProbabilities(ReadOnlySpan<float> scores)
    {
        double sum = 0;
        foreach (var s in scores)
        {
            if (s is < 0 or > 1.001f || float.IsNaN(s))
                return false;
            sum += s;
        }
        return Math.Abs(sum - 1) < 1e-3;
    }

    /// <summary>Scores of two classes from probabilities of class 1.</summary>
    public static float[] OfProbabilities(ReadOnlySpan<float> probabilities)
    {
        var scores = new float[2 * probabilities.Length];
        for (var i = 0; i < probabilities.Length; i++)
            (scores[2 * i], scores[2 * i + 1]) = (1 - probabilities[i], probabilities[i]);
        return scores;
    }

    /// <summary>p(a) - p(b): of probabilities as they are, of logits after softmax.</summary>
    public static double ProbabilityDifference(ReadOnlySpan<float> scores, int a, int b)
    {
        if (AreProbabilities(scores))
            return scores[a] - scores[b];
        var max = double.NegativeInfinity;
        foreach (var s in scores)
            max = Math.Max(max, s);
        double sum = 0;
        foreach (var s in scores)
            sum += Math.Exp(s - max);
        return (Math.Exp(scores[a] - max) - Math.Exp(scores[b] - max)) / sum;
    }
}
