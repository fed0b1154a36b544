using System.Text.Json;
using System.Text.Json.Serialization;

namespace ModelBuild.Compression.Backends;

/// <summary>What an operator class costs in one precision on one backend: <c>overhead + perUnit * work + perOutput * outputs + perGathered * gathered +
/// perWeight * weights</c>.</summary>
/// <param name="Overhead">Nanoseconds per call of the operator.</param>
/// <param name="PerUnit">Nanoseconds per unit of work: a multiply-add, or an element where nothing is multiplied.</param>
/// <param name="PerOutput">Nanoseconds per element of the output: what layers with few multiply-adds an output pay for.</param>
/// <param name="PerGathered">
/// Nanoseconds per gather: per position of a convolution's window at each output pixel, or per element of a matrix product's rows. What integer kernels pay for
/// layers of few channels, where they lose against float.
/// </param>
/// <param name="PerWeight">Nanoseconds per weight: what products of few rows wait for; in recurrent operators per step, which wait for each other.</param>
public sealed record OperatorCost(double Overhead, double PerUnit, double PerOutput = 0, double PerGathered = 0, double PerWeight = 0);

/// <summary>How much of each a node has to do.</summary>
/// <param name="Units">Multiply-adds, or elements where nothing is multiplied.</param>
/// <param name="Outputs">Elements of the output, where they are counted apart from the units; in recurrent operators the gates of all steps.</param>
/// <param name="Gathered">Window positions at all output pixels, or elements of a product's rows; in recurrent operators the products of all inputs, which wait
/// for no step.</param>
/// <param name="Weights">Elements of the weights; in recurrent operators the steps.</param>
public readonly record struct OperatorWork(double Units, double Outputs = 0, double Gathered = 0, double Weights = 0);

/// <summary>
/// The versioned costs of one CPU class, one thread. Keys are <c>backend/operator class/precision</c>, for example <c>onnxruntime/conv/int8</c>.
/// </summary>
public sealed record CostTable
{
    /// <summary>The number of the table; a change of any figure raises it, so that cached artifacts are made anew.</summary>
    public required int Version { get; init; }

    /// <summary>The CPU class.</summary>
    public required string CpuClass { get; init; }

    /// <summary><c>measured</c> on such a CPU by <c>modelbuild profiles --measure</c>, or <c>estimate</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>How the figures were got.</summary>
    public required string Source { get; init; }

    /// <summary>Costs by key.</summary>
    public required SortedDictionary<string, OperatorCost> Costs { get; init; }

    /// <summary>
    /// Costs by key as single operators have them that were measured one at a time: for plans, which divide a graph before there is a candidate to run, and
    /// where there is no data to run one on. What <see cref="Costs"/> says of a backend that prices candidates by the kernels that run for them is fitted to
    /// whole models.
    /// </summary>
    public required SortedDictionary<string, OperatorCost> Planning { get; init; }

    /// <summary>The table as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, CostTableJson.Default.CostTable);

    /// <summary>Whether the figures were measured on such a CPU.</summary>
    [JsonIgnore]
    public bool IsMeasured => Kind == "measured";

    /// <summary>Whether a table of a CPU class comes with the package.</summary>
    public static bool Exists(string cpuClass) => typeof(CostTable).Assembly.GetManifestResourceInfo($"profiles/{cpuClass}.json") is not null;

    /// <summary>The table of a CPU class that comes with the package.</summary>
    /// <exception cref="InvalidOperationException">There is no table for the class.</exception>
    public static CostTable Load(string cpuClass)
    {
        using var stream = typeof(CostTable).Assembly.GetManifestResourceStream($"profiles/{cpuClass}.json")
            ?? throw new InvalidOperationException($"no cost table for '{cpuClass}'");
        return JsonSerializer.Deserialize(stream, CostTableJson.Default.CostTable)!;
    }

    /// <summary>The cost of some work of a kernel.</summary>
    /// <exception cref="KeyNotFoundException">The table has no such operator class.</exception>
    public double Of(string backend, string operatorClass, string precision, OperatorWork work) => Of(Costs, backend, operatorClass, precision, work);

    /// <summary>The cost of some work of an operator, for plans.</summary>
    /// <exception cref="KeyNotFoundException">The table has no such operator class.</exception>
    public double Planned(string backend, string operatorClass, string precision, OperatorWork work) => Of(Planning, backend, operatorClass, precision, work);

    private double Of(SortedDictionary<string, OperatorCost> costs, string backend, string operatorClass, string precision, OperatorWork work)
    {
        if (!costs.TryGetValue($"{backend}/{operatorClass}/{precision}", out var cost))
            throw new KeyNotFoundException($"the cost table of {CpuClass} has no '{backend}/{operatorClass}/{precision}'");
        return cost.Overhead + cost.PerUnit * work.Units + cost.PerOutput * work.Outputs + cost.PerGathered * work.Gathered + cost.PerWeight * work.Weights;
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CostTable))]
internal sealed partial class CostTableJson : JsonSerializerContext;
