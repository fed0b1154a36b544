using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>What losses share: class indices, weights, and reduction to one number.</summary>
internal static class LossReduction
{
    public static void Infer(InferenceContext context)
    {
        var labels = context.Shape(1);
        context.Set(0, context.ElementType(0), context.Node.String("reduction", "mean") == "none" ? labels : []);
    }

    /// <summary>The loss from logarithms of probabilities [N, C, d...] and class indices [N, d...].</summary>
    public static Tensor Of(ExecutionContext context, double[] logarithms, Tensor input)
    {
        var labels = context.Input(1);
        var (classes, inner) = ((int)input.Shape[1], (int)Indexing.Product(input.Shape.AsSpan(), 2, input.Rank));
        var weights = context.Optional(2) is { } w ? Numbers.Doubles(w) : null;
        context.Require(weights is null || weights.Length == classes, "the weights do not fit the classes");
        var ignored = context.Node.Attributes.ContainsKey("ignore_index") ? context.Node.Int("ignore_index") : long.MinValue;
        var indices = Numbers.Integers(labels);
        var losses = new double[indices.Length];
        double total = 0, sum = 0;
        for (var i = 0; i < losses.Length; i++)
        {
            if (indices[i] == ignored)
                continue;
            context.Require(indices[i] >= 0 && indices[i] < classes, $"class {indices[i]} does not exist");
            var weight = weights is null ? 1 : weights[indices[i]];
            losses[i] = -weight * logarithms[(i / inner * classes + indices[i]) * inner + i % inner];
            total += weight;
            sum += losses[i];
        }
        return context.Node.String("reduction", "mean") switch
        {
            "none" => Numbers.Of(input.ElementType, labels.Shape, losses),
            "sum" => Numbers.Of(input.ElementType, [], [sum]),
            "mean" => Numbers.Of(input.ElementType, [], [sum / total]),
            var r => throw context.Error($"unknown reduction '{r}'"),
        };
    }

    /// <summary>Without reduction every place has its loss, which reads the scores and the class of that place.</summary>
    public static void Axes(AxesContext context)
    {
        if (context.Node.String("reduction", "mean") != "none")
            return;
        context.Link(0, 0, 0, 0);
        for (var i = 2; i < context.Rank(0); i++)
            context.Link(0, i, 0, i - 1);
        context.Same(1);
    }

    /// <summary>Places go together with their classes; what is reduced needs all of them.</summary>
    public static string? Cut(CutContext context) => context.Node.String("reduction", "mean") == "none" ? null : "losses are reduced to one number";
}
