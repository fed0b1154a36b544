using ModelBuild.Compression.Backends;

namespace ModelBuild.Benchmarks;

/// <summary>
/// Fits the lines of a cost table to whole models and to samples of single operators: what their kernels have to do, and what their calls take. Figures are
/// those with the least squared relative error of the calls, none below 0, drawn towards the table that there is (ridge regression), so that what the models
/// say little about stays as it was. The unit is that of the table: only ratios are compared.
/// </summary>
internal static class CostFit
{
    /// <summary>How much a figure is drawn towards what it was: as much as this many models that say it is right.</summary>
    private const double Ridge = 0.03;

    /// <summary>How much a sample of one operator counts beside a whole model.</summary>
    private const double SampleWeight = 0.1;

    private const int Fields = 5;

    /// <summary>A call of one artifact of a model, or of a sample of one operator.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Recipe">What was made of it.</param>
    /// <param name="Amounts">How much of each figure the call is charged.</param>
    /// <param name="Nanoseconds">What it took.</param>
    /// <param name="IsSample">Whether it is a sample.</param>
    public sealed record Call(string Model, string Recipe, IReadOnlyDictionary<(string Key, int Field), double> Amounts, double Nanoseconds,
        bool IsSample = false);

    /// <summary>How much of each figure kernels are charged.</summary>
    public static IReadOnlyDictionary<(string Key, int Field), double> AmountsOf(IReadOnlyList<KernelClass> kernels)
    {
        Dictionary<(string, int), double> amounts = new() { [("onnxruntime/call/any", 0)] = 1 };
        foreach (KernelClass k in kernels)
        {
            double[] work = [1, k.Work.Units, k.Work.Outputs, k.Work.Gathered, k.Work.Weights];
            for (var field = 0; field < Fields; field++)
            {
                if (work[field] != 0) amounts[($"onnxruntime/{k.Class}/{k.Precision}", field)] =
                    amounts.GetValueOrDefault(($"onnxruntime/{k.Class}/{k.Precision}", field)) + work[field];
            }
        }
        return amounts;
    }

    /// <summary>How much of each figure the calls of a managed program are charged.</summary>
    public static IReadOnlyDictionary<(string Key, int Field), double> AmountsOf(IReadOnlyList<KernelWork> kernels)
    {
        Dictionary<(string, int), double> amounts = new() { [("managed/call/any", 0)] = 1 };
        foreach (KernelWork k in kernels)
        {
            double[] work = [1, k.Work.Units, 0, 0, k.Work.Weights];
            for (var field = 0; field < Fields; field++)
            {
                (string, int) figure = ($"managed/{k.Kernel}/{KernelWork.Precision}", field);
                if (work[field] != 0) amounts[figure] = amounts.GetValueOrDefault(figure) + work[field];
            }
        }
        return amounts;
    }

    public static double Predict(CostTable table, Call call) => call.Amounts.Sum(a => FieldOf(table.Costs[a.Key.Key], a.Key.Field) * a.Value);

    /// <summary>The table fitted to calls.</summary>
    public static CostTable Fit(CostTable table, IReadOnlyList<Call> calls)
    {
        List<(string Key, int Field)> figures = [.. calls.SelectMany(c => c.Amounts.Keys).Distinct().Order()];
        Dictionary<(string, int), int> index = figures.Select((f, i) => (f, i)).ToDictionary(p => p.f, p => p.i);
        // How much slower this machine is than that of the table, in the middle of all calls.
        double[] pace = [.. calls.Where(c => !c.IsSample).Select(c => c.Nanoseconds / Predict(table, c)).Order()];
        var scale = pace[pace.Length / 2];
        double[] before = [.. figures.Select(f => scale * FieldOf(table.Costs[f.Key], f.Field))];
        // A figure that was 0 is measured by what it would have to be to matter.
        double[] unit = [.. before.Select((b, i) => b > 0 ? b
            : 0.02 * Quarter(calls.Where(c => c.Amounts.ContainsKey(figures[i])).Select(c => c.Nanoseconds / c.Amounts[figures[i]])))];
        var n = figures.Count;
        var squares = new double[n, n];
        double[] right = new double[n], x = [.. before.Select((b, i) => b / unit[i])];
        foreach (IGrouping<string, Call> model in calls.GroupBy(c => c.Model))
            foreach (Call call in model)
            {
                var weight = call.IsSample ? SampleWeight : 1.0 / model.Count();
                (int Index, double Share)[] shares = [.. call.Amounts.Select(a => (index[a.Key], a.Value * unit[index[a.Key]] / call.Nanoseconds))];
                foreach (var (i, a) in shares)
                {
                    right[i] += a * weight;
                    foreach (var (k, b) in shares) squares[i, k] += a * b * weight;
                }
            }
        for (var i = 0; i < n; i++)
        {
            squares[i, i] += Ridge;
            right[i] += Ridge * x[i];
        }
        for (double change = 1; change > 1e-5;)
        {
            change = 0;
            for (var i = 0; i < n; i++)
            {
                var rest = right[i];
                for (var k = 0; k < n; k++)
                    if (k != i) rest -= squares[i, k] * x[k];
                var next = Math.Max(0, rest / squares[i, i]);
                change = Math.Max(change, Math.Abs(next - x[i]));
                x[i] = next;
            }
        }
        SortedDictionary<string, OperatorCost> costs = new(table.Costs, StringComparer.Ordinal);
        for (var i = 0; i < n; i++) costs[figures[i].Key] = With(costs[figures[i].Key], figures[i].Field, x[i] * unit[i] / scale);
        return table with { Costs = costs };
    }

    /// <summary>A table of another class that follows the new one as it followed the old one, key by key.</summary>
    public static CostTable Follow(CostTable other, CostTable old, CostTable fitted)
    {
        SortedDictionary<string, OperatorCost> costs = new(other.Costs, StringComparer.Ordinal);
        foreach (var (key, cost) in fitted.Costs)
        {
            OperatorCost was = old.Costs[key], there = other.Costs[key];
            // The measured class has all that the others have: none of them is faster.
            var factor = Math.Max(1, was.PerUnit > 0 ? there.PerUnit / was.PerUnit : was.Overhead > 0 ? there.Overhead / was.Overhead : 1);
            costs[key] = Enumerable.Range(0, Fields).Aggregate(there, (c, field) => With(c, field, factor * FieldOf(cost, field)));
        }
        return other with { Costs = costs, Version = other.Version + 1 };
    }

    private static double Quarter(IEnumerable<double> values) => values.Order().ToArray() is { Length: > 0 } sorted ? sorted[sorted.Length / 4] : 1;

    private static double FieldOf(OperatorCost c, int field) => field switch { 0 => c.Overhead, 1 => c.PerUnit, 2 => c.PerOutput, 3 => c.PerGathered,
        _ => c.PerWeight };

    private static OperatorCost With(OperatorCost c, int field, double value) => field switch
    {
        0 => c with { Overhead = Math.Round(value, 1) },
        1 => c with { PerUnit = Math.Round(value, 6) },
        2 => c with { PerOutput = Math.Round(value, 5) },
        3 => c with { PerGathered = Math.Round(value, 5) },
        _ => c with { PerWeight = Math.Round(value, 6) },
    };
}
