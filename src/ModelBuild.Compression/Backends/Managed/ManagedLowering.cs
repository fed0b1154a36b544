using System.Diagnostics.CodeAnalysis;
using ModelBuild.Compression.Execution;
using ModelBuild.Managed;
using ModelBuild.Onnx;
using ModelBuild.Onnx.Simplification;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Turns a graph into a program of the managed backend, if that has a kernel for everything in it. Quantized and dynamically quantized layers become one
/// integer kernel each; reshapes cost nothing.
/// </summary>
public static class ManagedLowering
{
    /// <summary>The operators of the standard domain that are lowered, in the forms that have a kernel.</summary>
    public static IReadOnlyCollection<string> Operators => OperatorLowerings.Names;

    // Attention, Gelu, and the normalizations stand in the operator set of 23.
    private const long RichOpset = 23;

    /// <summary>
    /// The same model with functions that exporters spread over nodes as the operators that compute them, whatever operator set the file has: a kernel does one
    /// at once. Where integers are involved everything stays as it was planned.
    /// </summary>
    private static Model WithWholeOperators(Model model)
    {
        if (model.Nodes.Any(static n => n.Domain.Length > 0 || n.OpType is "QuantizeLinear" or "DequantizeLinear" or "DynamicQuantizeLinear" or "MatMulInteger"
            or "ConvInteger" or "QLinearConv" or "QLinearMatMul"))
            return model;
        try
        {
            var rich = model.Clone();
            Simplifier.Run(rich, new() { MinOpset = RichOpset });
            return rich;
        }
        catch (OnnxException)
        {
            // An operator that a newer set does not have: the model is lowered as it is.
            return model;
        }
    }

    /// <summary>Lowers a graph.</summary>
    /// <param name="model">The graph, types inferred. Not changed.</param>
    /// <param name="signatureHash">The hash of the signature that the artifact serves.</param>
    /// <param name="artifact">The managed artifact.</param>
    /// <param name="why">What stands in the way, if the graph is not lowered.</param>
    public static bool TryLower(Model model, byte[] signatureHash, [NotNullWhen(true)] out byte[]? artifact, [NotNullWhen(false)] out string? why)
    {
        if (!OnnxWriter.IsOneFile(model))
        {
            artifact = null;
            why = "its weights take more than 2 GB";
            return false;
        }
        try
        {
            var description = DescriptionBuilder.Of(model.Graph, signatureHash);
            model = WithWholeOperators(model);
            var suppositions = Suppositions.Make(ref model);
            var lowering = new Lowering(model.Graph, suppositions, description);
            artifact = lowering.Run();
            why = null;
            return true;
        }
        catch (NotLoweredException e)
        {
            artifact = null;
            why = e.Message;
            return false;
        }
        catch (CompressionException e)
        {
            artifact = null;
            why = e.Message;
            return false;
        }
    }
}

/// <summary>The managed backend has no kernel for a node.</summary>
/// <param name="message">What stands in the way.</param>
/// <param name="node">The node that the message names, if it names one.</param>
internal sealed class NotLoweredException(string message, Node? node = null) : Exception(message)
{
    public Node? Node => node;
}
