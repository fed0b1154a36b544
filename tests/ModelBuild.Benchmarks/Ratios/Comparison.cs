using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Execution;

namespace ModelBuild.Benchmarks;

/// <summary>The same work done by us and by ONNX Runtime.</summary>
/// <param name="Name">What is done.</param>
/// <param name="Ours">One call of ours.</param>
/// <param name="Theirs">One call of ONNX Runtime.</param>
/// <param name="Difference">The largest difference of their results, relative to the largest value; after one call of each.</param>
internal sealed record Comparison(string Name, Action Ours, Action Theirs, Func<double> Difference) : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    private const int Rounds = 41, Attempts = 6;

    // A median over the fastest tenth that is no more than the usual scatter.
    private const double Quiet = 1.1;

    /// <summary>Median nanoseconds of a call, ours and theirs measured in turns.</summary>
    public (double Ours, double Theirs) Times()
    {
        IReadOnlyList<IReadOnlyList<double>> times = Interleaved.Measure([Ours, Theirs], Rounds, default);
        return (Interleaved.Median(times[0]), Interleaved.Median(times[1]));
    }

    /// <summary>As <see cref="Times"/>, but measured again, a few times, while other processes seem to take part of the core: until both medians are near the
    /// fastest tenth. Otherwise what was nearest.</summary>
    public (double Ours, double Theirs) UndisturbedTimes()
    {
        var best = (Disturbance: double.PositiveInfinity, Ours: 0.0, Theirs: 0.0);
        for (var attempt = 0; attempt < Attempts && best.Disturbance > Quiet; attempt++)
        {
            IReadOnlyList<IReadOnlyList<double>> times = Interleaved.Measure([Ours, Theirs], Rounds, default);
            var disturbance = times.Max(static t => Interleaved.Median(t) / t.Order().ElementAt(Rounds / 10));
            if (disturbance < best.Disturbance) best = (disturbance, Interleaved.Median(times[0]), Interleaved.Median(times[1]));
        }
        return (best.Ours, best.Theirs);
    }

    public Comparison Owning(params IDisposable[] owned)
    {
        _owned.AddRange(owned);
        return this;
    }

    public void Dispose() => _owned.ForEach(o => o.Dispose());
}
