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

    /// <summary>Whether the metric needs an output that scores classes.</summary>
    public virtual bool NeedsClasses => false;

    /// <summary>How many numbers <see cref="Measure"/> writes.</summary>
    public abstract int StatisticCount { get; }

    /// <summary>The metric for an output that scores a number of classes.</summary>
    public virtual Metric Of(int classes) => this;

    /// <summary>Measures one sample. What the original itself answers with no number tells nothing: it is left out, and never counts as equal.</summary>
    /// <param name="answer">The answers.</param>
    /// <param name="statistics">Receives the sample's contribution to the sums; all zeros come in.</param>
    public abstract void Measure(in JudgedAnswer answer, Span<double> statistics);

    /// <summary>How many values or rows the sums rest on; where it is 0, nothing was judged.</summary>
    /// <param name="sums">Sums of statistics.</param>
    public virtual double Counted(ReadOnlySpan<double> sums) => sums[0];

    /// <summary>The metric's values from sums over samples of which at least one value or row was counted.</summary>
    public abstract MetricValue Evaluate(ReadOnlySpan<double> sums);
}
