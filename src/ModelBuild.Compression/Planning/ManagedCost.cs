using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>Predicts what one call costs on the managed backend, from the same cost table: its calls are few and have no dispatch worth counting.</summary>
public static class ManagedCost
{
    private const string Backend = "managed";

    /// <summary>Predicted nanoseconds of one call of a graph that the managed backend takes.</summary>
    public static double Predict(CostTable table, Graph graph) => table.Of(Backend, "call", "any", default) + graph.Nodes.Sum(n => Cost(table, n));

    private static double Cost(CostTable table, Node node) => node.OpType switch
    {
        "Gemm" or "MatMul" => table.Of(Backend, "gemm", node.Inputs[1]?.Producer is { OpType: "DequantizeLinear" } ? "int8" : "float32", new(Weights(node))),
        "MatMulInteger" => table.Of(Backend, "gemm", "dynamic-int8", new(Weights(node))),
        "Softmax" or "Sigmoid" or "Tanh" => table.Of(Backend, "transcendental", "float32", new(Width(node))),
        _ => table.Of(Backend, "elementwise", "float32", new(Width(node))),
    };

    private static double Weights(Node node)
    {
        var w = node.Inputs[1]?.Constant ?? node.Inputs[1]?.Producer?.Inputs[0]?.Constant;
        return w?.Length ?? Width(node);
    }

    private static double Width(Node node) => node.Outputs[0].Type is { HasRank: true, Rank: > 0 } t && t.Shape[^1].IsConstant ? t.Shape[^1].Value : 1;
}
