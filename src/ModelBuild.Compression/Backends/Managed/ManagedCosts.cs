using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Predicts what one call costs on the managed backend, from the same cost table: its calls are few and have no dispatch worth counting.</summary>
/// <param name="table">The costs.</param>
/// <param name="dimensions">Sizes of named dimensions in a typical call; those that are missing count as 1.</param>
public sealed class ManagedCosts(CostTable table, IReadOnlyDictionary<string, long> dimensions) : ICosts
{
    private const string Backend = ManagedBackend.BackendName;
    private readonly TypicalSizes _sizes = new(dimensions);

    /// <inheritdoc/>
    public bool Takes(string op) => OperatorLowerings.Names.Contains($"{Domains.ModelBuild}.{op}");

    /// <inheritdoc/>
    public double Predict(Graph graph) => table.Of(Backend, "call", "any", default) + graph.Nodes.Sum(n => Of(n, IsInteger(n)));

    /// <inheritdoc/>
    public double Of(Node node, bool integer) => node.OpType switch
    {
        "Gemm" or "MatMul" => table.Of(Backend, "gemm", integer ? Precisions.Int8 : Precisions.Float32, new(Products(node))),
        "MatMulInteger" => table.Of(Backend, "gemm", Precisions.DynamicInt8, new(Products(node))),
        // Constants are unpacked at load.
        "DequantizeLinear" or "Cast" or "Mul" when node.Inputs.All(i => i?.Constant is not null || i?.Producer is { } p
            && p.Inputs.All(x => x?.Constant is not null)) => 0,
        "Softmax" or "Sigmoid" or "Tanh" => table.Of(Backend, "transcendental", Precisions.Float32, new(_sizes.Elements(node.Output))),
        _ => Elementwise(node.Output),
    };

    /// <inheritdoc/>
    public double Quantize(Value value) => Elementwise(value);

    /// <inheritdoc/>
    public double Dequantize(Value value) => Elementwise(value);

    private static bool IsInteger(Node node) => node.OpType is "Gemm" or "MatMul" && node.Inputs[1]?.Producer is { OpType: "DequantizeLinear" };

    private double Elementwise(Value value) => table.Of(Backend, "elementwise", Precisions.Float32, new(_sizes.Elements(value)));

    // Every row of the input meets every weight.
    private double Products(Node node) =>
        _sizes.Elements(node.Inputs[0]!) * ((node.Inputs[1]?.Constant ?? node.Inputs[1]?.Producer?.Inputs[0]?.Constant) is { Rank: 2 } w
        ? w.Shape[node.Is("Gemm") && node.Int("transB") == 1 ? 0 : 1] : _sizes.Along(node.Output, -1));
}
