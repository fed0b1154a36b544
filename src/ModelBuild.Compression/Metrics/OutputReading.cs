using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>What the numbers of an output are.</summary>
public enum OutputMeaning
{
    /// <summary>Values; each is compared by itself.</summary>
    Values,

    /// <summary>Scores of classes along one axis: probabilities or logits.</summary>
    Scores,

    /// <summary>Probabilities of class 1 against class 0, one a row.</summary>
    Probability,

    /// <summary>The class itself: numbers or names.</summary>
    Classes,

    /// <summary>Integers, truth values or strings that mean themselves: compared exactly.</summary>
    Exact,
}

/// <summary>How an output is read when it is judged.</summary>
/// <param name="Meaning">What its numbers are.</param>
/// <param name="Axis">The axis of the classes, where the output scores them.</param>
public sealed record OutputReading(OutputMeaning Meaning, int Axis = -1)
{
    /// <summary>How an output of a graph is read, as far as the graph itself tells; labels may tell more.</summary>
    public static OutputReading Of(Value output)
    {
        if (output.Type is not { } type)
            return new(OutputMeaning.Exact);
        if (!FloatValues.CanRead(type.ElementType))
            return new(ClassOutputs.IsClass(output) ? OutputMeaning.Classes : OutputMeaning.Exact);
        if (ClassOutputs.SoftmaxAxis(output) is { } axis)
            return new(OutputMeaning.Scores, axis);
        return new(ClassOutputs.IsProbability(output) ? OutputMeaning.Probability : OutputMeaning.Values);
    }

    /// <summary>The rows of an output's shape: along the axis of the classes, or the last one.</summary>
    public OutputShape Rows(Tensor tensor)
    {
        var classes = tensor.Rank == 0 ? 1 : (int)Math.Max(1, tensor.Shape[Meaning == OutputMeaning.Scores && Axis >= 0 ? Axis : ^1]);
        return new(classes, (int)(tensor.Length / classes));
    }

    /// <summary>The values of a float output, laid out so that the scores of a row lie side by side.</summary>
    public ReadOnlySpan<float> Read(Tensor tensor)
    {
        var values = FloatValues.Of(tensor);
        if (Meaning != OutputMeaning.Scores || Axis < 0)
            return values;
        var inner = (int)tensor.Shape.Skip(Axis + 1).Aggregate(1L, static (a, b) => a * b);
        if (inner == 1)
            return values;
        var classes = (int)tensor.Shape[Axis];
        var rows = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
            rows[(i / (classes * inner) * inner + i % inner) * classes + i / inner % classes] = values[i];
        return rows;
    }

    /// <summary>The class that each row of an output decides for; -1 where a score is not a number.</summary>
    public long[] ClassesOf(Tensor tensor) =>
        Meaning == OutputMeaning.Probability
            ? ClassScores.Best(ClassScores.OfProbabilities(Read(tensor)), new(2, (int)tensor.Length))
            : ClassScores.Best(Read(tensor), Rows(tensor));
}
