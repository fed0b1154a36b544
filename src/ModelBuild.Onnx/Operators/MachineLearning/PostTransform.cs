namespace ModelBuild.Onnx.Operators;

/// <summary>What classifiers make of their scores.</summary>
internal static class PostTransform
{
    /// <summary>Transforms the scores of one sample in place.</summary>
    public static void Apply(Span<double> scores, string transform)
    {
        switch (transform)
        {
            case "NONE":
                break;
            case "SOFTMAX":
                Softmax.Apply(scores);
                break;
            case "LOGISTIC":
                foreach (ref var s in scores)
                    s = SpecialFunctions.Sigmoid(s);
                break;
            case "SOFTMAX_ZERO":
                // Zeros mean that nothing is known, and stay.
                double max = 0, sum = 0;
                foreach (var s in scores)
                    max = Math.Max(max, s);
                foreach (ref var s in scores)
                    sum += s = s == 0 ? 0 : Math.Exp(s - max);
                foreach (ref var s in scores)
                    s = sum == 0 ? 0 : s / sum;
                break;
            default:
                throw new InvalidOperationException($"the transformation '{transform}' is not known");
        }
    }
}
