using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>
/// How a model's answers are judged against the original's. Every metric is a function of sums over samples, so that it streams, and so that an
/// interval can be had by resampling the samples.
/// </summary>
public abstract class Metric
{
    /// <summary>The name in options and reports.</summary>
    public abstract string Name { get; }

    /// <summary>The loss that is accepted where the user states none.</summary>
    public abstract double DefaultBudget { get; }

    /// <summary>Whether the metric compares with labels.</summary>
    public virtual bool NeedsLabels => false;

    /// <summary>Whether the metric needs an output that scores classes along its last axis.</summary>
    public virtual bool NeedsClasses => false;

    /// <summary>How many numbers <see cref="Measure"/> writes.</summary>
    public abstract int StatisticCount { get; }

    /// <summary>The metric for an output that scores a number of classes.</summary>
    public virtual Metric Of(int classes) => this;

    /// <summary>Measures one sample.</summary>
    /// <param name="reference">The original's output.</param>
    /// <param name="candidate">The candidate's output, of the same shape.</param>
    /// <param name="shape">How the outputs fall into rows of classes.</param>
    /// <param name="labels">Labels of the sample, one a row; empty where there are none.</param>
    /// <param name="statistics">Receives the sample's contribution to the sums.</param>
    public abstract void Measure(ReadOnlySpan<float> reference, ReadOnlySpan<float> candidate, OutputShape shape, ReadOnlySpan<long> labels, Span<double> statistics);

    /// <summary>The metric's values from sums over samples.</summary>
    public abstract MetricValue Evaluate(ReadOnlySpan<double> sums);
}

/// <summary>Values of a metric.</summary>
/// <param name="Original">The original's value, where it has one by itself (label metrics); else the value of a perfect copy.</param>
/// <param name="Compressed">The candidate's value.</param>
/// <param name="Loss">The loss that budgets speak of: 0 for a perfect copy, larger is worse, may be negative.</param>
public readonly record struct MetricValue(double Original, double Compressed, double Loss);

/// <summary>The shape of a judged output, seen as rows of classes.</summary>
/// <param name="Classes">Size of the last axis.</param>
/// <param name="Rows">Number of rows in one sample.</param>
public readonly record struct OutputShape(int Classes, int Rows)
{
    /// <summary>The shape of a tensor.</summary>
    public static OutputShape Of(Tensor tensor)
    {
        var classes = tensor.Rank == 0 ? 1 : (int)Math.Max(1, tensor.Shape[^1]);
        return new(classes, (int)(tensor.Length / classes));
    }
}
