using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>Predicts what one call costs on the managed backend, from the same cost table: its calls are few and have no dispatch worth counting.</summary>
/// <param name="table">The costs.</param>
/// <param name="dimensions">Sizes of named dimensions in a typical call; those that are missing count as 1.</param>
public sealed class ManagedCost(CostTable table, IReadOnlyDictionary<string, long> dimensions)
{
    private const string Backend = "managed";
    private readonly TypicalSizes _sizes = new(dimensions);

    /// <summary>Predicted nanoseconds of one call of a graph that the managed backend takes.</summary>
    public double Predict(Graph graph) => table.Of(Backend, "call", "any", default) + graph.Nodes.Sum(Cost);

    private double Cost(Node node) => node.OpType switch
    {
        "Gemm" or "MatMul" => table.Of(Backend, "gemm", node.Inputs[1]?.Producer is { OpType: "DequantizeLinear" } ? "int8" : "float32", new(Products(node))),
        "MatMulInteger" => table.Of(Backend, "gemm", "dynamic-int8", new(Products(node))),
        // Constants are unpacked at load.
        "DequantizeLinear" or "Cast" or "Mul" when node.Inputs.All(i => i?.Constant is not null || i?.Producer is { } p && p.Inputs.All(x => x?.Constant is not null)) => 0,
        "Softmax" or "Sigmoid" or "Tanh" => table.Of(Backend, "transcendental", "float32", new(_sizes.Elements(node.Output))),
        _ => table.Of(Backend, "elementwise", "float32", new(_sizes.Elements(node.Output))),
    };

    // Every row of the input meets every weight.
    private double Products(Node node) => _sizes.Elements(node.Inputs[0]!) * ((node.Inputs[1]?.Constant ?? node.Inputs[1]?.Producer?.Inputs[0]?.Constant) is { Rank: 2 } w
        ? w.Shape[node.Is("Gemm") && node.Int("transB") == 1 ? 0 : 1] : _sizes.Along(node.Output, -1));
}
