using System.Diagnostics.CodeAnalysis;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
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
    /// <summary>The operators that are lowered, in the forms that have a kernel; those of other domains than the standard one with its name and a dot in
    /// front.</summary>
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
    /// <param name="plan">What <see cref="Choose"/> gave for the model, or for the one that it was made of; null for kernels whose rounding nobody need look
    /// at.</param>
    /// <param name="artifact">The managed artifact.</param>
    /// <param name="why">What stands in the way, if the graph is not lowered.</param>
    public static bool TryLower(Model model, byte[] signatureHash, LoweringPlan? plan, [NotNullWhen(true)] out byte[]? artifact,
        [NotNullWhen(false)] out string? why)
    {
        why = TryLower(model, signatureHash, plan, out artifact, out Lowering? _);
        return artifact is not null;
    }

    /// <summary>Chooses among kernels that differ in what they round, by data.</summary>
    /// <param name="model">The model in float, types inferred. Not changed.</param>
    /// <param name="data">Calibration data; null for none.</param>
    /// <param name="threads">Threads of runs.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static LoweringPlan Choose(Model model, Dataset? data, int threads = 1, CancellationToken cancellation = default)
    {
        TryLower(model, new byte[32], null, out _, out Lowering? lowering);
        return new(lowering is { WinogradLayers: { Count: > 0 } layers } ? WinogradChoice.Of(model, [.. layers], data, threads, cancellation) : []);
    }

    /// <summary>What stands in the way; null where there is an artifact.</summary>
    private static string? TryLower(Model model, byte[] signatureHash, LoweringPlan? plan, out byte[]? artifact, out Lowering? lowering)
    {
        (artifact, lowering) = (null, null);
        if (!OnnxWriter.IsOneFile(model))
            return "its weights take more than 2 GB";
        try
        {
            var description = DescriptionBuilder.Of(model.Graph, signatureHash);
            model = WithWholeOperators(model);
            var suppositions = Suppositions.Make(ref model);
            lowering = new Lowering(model.Graph, suppositions, description, plan);
            artifact = lowering.Run();
            return null;
        }
        catch (Exception e) when (e is NotLoweredException or CompressionException)
        {
            return e.Message;
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
