using System.Collections.Frozen;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>Which outputs of a graph are about classes, by the operators that make them.</summary>
internal static class ClassOutputs
{
    // What changes the shape of an output and not its numbers.
    private static readonly FrozenSet<string> Views = FrozenSet.Create("Reshape", "Squeeze", "Unsqueeze", "Identity", "Flatten");

    private static readonly FrozenSet<string> Classifiers = FrozenSet.Create("TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier", "TreeEnsemble");

    private static readonly FrozenSet<string> Comparisons = FrozenSet.Create("Greater", "GreaterOrEqual", "Less", "LessOrEqual");

    /// <summary>Whether an output without floats is a decision: the place of a largest value, the label of a classifier, the side of a threshold.</summary>
    public static bool IsClass(Value output)
    {
        var value = Source(output, static n => Views.Contains(n.OpType) || n.OpType is "Cast" or "LabelEncoder");
        return value.Producer is { } n && (n.OpType is "ArgMax" or "ArgMin" || n.Is("TopK") && value.ProducerIndex == 1 || Classifiers.Contains(n.OpType)
            && value.ProducerIndex == 0 || Comparisons.Contains(n.OpType));
    }

    /// <summary>Whether an output gives one probability a row, by a Sigmoid.</summary>
    public static bool IsProbability(Value output) => IsSigmoid(output) && output.Type is { Rank: > 0 } t && IsOne(t.Shape[^1]);

    /// <summary>Whether an output's numbers are those of a Sigmoid.</summary>
    public static bool IsSigmoid(Value output) => Source(output, static n => Views.Contains(n.OpType)).Producer?.Is("Sigmoid") == true;

    /// <summary>The axis along which an output holds the probabilities (or their logarithms) of more than one class, by a softmax; else null.</summary>
    public static int? SoftmaxAxis(Value output)
    {
        var source = Source(output, static n => Views.Contains(n.OpType));
        if (source.Producer is not { } softmax || !softmax.Is("Softmax") && !softmax.Is("LogSoftmax") || output.Type is not { HasRank: true, Rank: >= 1 } type
            || source.Type is not { HasRank: true } made)
            return null;
        // Before operator set 13 a softmax runs over all axes from its own on; those behind it are of size 1, or the classes are no axis.
        var opset = softmax.Graph.Model.Opset;
        var axis = (int)softmax.Int("axis", opset < 13 ? 1 : -1);
        axis = axis < 0 ? axis + made.Rank : axis;
        if (opset < 13)
        {
            var several = Enumerable.Range(axis, made.Rank - axis).Where(i => !IsOne(made.Shape[i])).ToList();
            if (several.Count != 1)
                return null;
            axis = several[0];
        }
        if (IsOne(made.Shape[axis]))
            return null;
        if (ReferenceEquals(source, output) || made.Rank == type.Rank && made.Shape.SequenceEqual(type.Shape))
            return axis;
        // Behind a reshape the classes are the last axis that is not of size 1, if that is of the classes' size: Flatten, Squeeze, and what keeps rows.
        var last = LastAxis(type);
        return IsOne(type.Shape[last]) || made.Shape[axis].IsConstant && type.Shape[last].IsConstant && made.Shape[axis] != type.Shape[last] ? null : last;
    }

    /// <summary>The last axis that is not of size 1, but never the first of two and more.</summary>
    public static int LastAxis(TensorType type)
    {
        var last = type.Rank - 1;
        while (last > 1 && IsOne(type.Shape[last]))
            last--;
        return last;
    }

    /// <summary>Whether a dimension is 1 in every call.</summary>
    public static bool IsOne(Dimension d) => d is { IsConstant: true, Value: 1 };

    private static Value Source(Value value, Func<Node, bool> passes)
    {
        while (value.Producer is { } producer && passes(producer) && producer.Input(0) is { } input)
            value = input;
        return value;
    }
}
