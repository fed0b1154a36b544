using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Predicts, from a cost table, what a backend takes for one call on one thread. All figures are nanoseconds.</summary>
public interface ICosts
{
    /// <summary>Whether the backend runs an operator of our own, which stands for something that only some backends compute.</summary>
    /// <param name="op">Its name in the domain <see cref="Domains.ModelBuild"/>.</param>
    bool Takes(string op) => false;

    /// <summary>One call of a graph that the backend takes.</summary>
    double Predict(Graph graph);

    /// <summary>A node of a float graph, as it is or in its integer form.</summary>
    double Of(Node node, bool integer);

    /// <summary>Turning a value into integers.</summary>
    double Quantize(Value value);

    /// <summary>Turning a value's integers into floats.</summary>
    double Dequantize(Value value);
}
