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

    private const int Rounds = 41;

    /// <summary>Median nanoseconds of a call, ours and theirs measured in turns.</summary>
    public (double Ours, double Theirs) Times()
    {
        IReadOnlyList<IReadOnlyList<double>> times = Interleaved.Measure([Ours, Theirs], Rounds, default);
        return (Interleaved.Median(times[0]), Interleaved.Median(times[1]));
    }

    public Comparison Owning(params IDisposable[] owned)
    {
        _owned.AddRange(owned);
        return this;
    }

    public void Dispose() => _owned.ForEach(o => o.Dispose());
}
