using System.Numerics.Tensors;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>Writes weights in fewer bits with the nodes that unpack them, which runtimes fold into float weights once, at load.</summary>
internal static class UnpackedWeights
{
    /// <summary>The operator set that knows integers of 4 bits.</summary>
    public const long PackedOpset = 21;

    /// <summary>Weights as 32-bit floats, whichever of the two they are.</summary>
    public static Tensor Floats(Tensor weights)
    {
        if (weights.ElementType == ElementType.Float)
            return weights;
        var floats = new float[weights.Length];
        TensorPrimitives.ConvertToSingle(weights.Span<Half>(), floats);
        return Tensor.Of(floats, weights.Shape.AsSpan());
    }

    /// <summary>Weights as 16-bit floats.</summary>
    public static Tensor Halves(Tensor weights)
    {
        var halves = new Half[weights.Length];
        TensorPrimitives.ConvertToHalf(weights.Span<float>(), halves);
        return Tensor.Of(halves, weights.Shape.AsSpan());
    }

    /// <summary>Unpacked floats in the type that the weights had.</summary>
    private static Value AsGiven(Node node, Value weights, Value floats)
    {
        if (weights.Constant!.ElementType == ElementType.Float)
            return floats;
        var cast = weights.Graph.AddNode("Cast", [floats], [$"w{node.Id}"]);
        cast.Attributes["to"] = (long)weights.Constant.ElementType;
        cast.Sources = node.Sources;
        cast.Output.Type = weights.Constant.Type;
        return cast.Output;
    }

    /// <summary>Weights in 8 bits, symmetric with a scale for each channel: Cast, Mul.</summary>
    /// <param name="node">A node that reads them.</param>
    /// <param name="weights">The weights; nodes are added where they are, so that what bodies share is unpacked once.</param>
    /// <param name="axis">The first axis of the channels.</param>
    /// <param name="axes">How many axes count channels.</param>
    /// <param name="limit">The largest magnitude of an integer.</param>
    public static Value OfBytes(Node node, Value weights, int axis, int axes, int limit)
    {
        var (tensor, graph) = (Floats(weights.Constant!), weights.Graph);
        var quantized = QuantizedWeights.Of(tensor, axis, limit, axes);
        // Scales broadcast against the weights: trailing axes of 1, leading ones left out.
        var shape = new long[tensor.Rank - axis];
        Array.Fill(shape, 1);
        for (var i = 0; i < axes; i++)
            shape[i] = tensor.Shape[axis + i];
        var data = graph.AddInitializer(weights.Name + "_q", quantized.Data);
        var scales = graph.AddInitializer(weights.Name + "_s", Tensor.Of(quantized.Scales, shape));
        var cast = graph.AddNode("Cast", [data], [weights.Name + "_c"]);
        cast.Attributes["to"] = (long)ElementType.Float;
        var floats = graph.AddNode("Mul", [cast.Output, scales], [weights.Name + "_f"]);
        cast.Sources = floats.Sources = node.Sources;
        cast.Output.Type = floats.Output.Type = tensor.Type;
        return AsGiven(node, weights, floats.Output);
    }

    /// <summary>The largest 16-bit float.</summary>
    public const float LargestHalf = 65504;

    /// <summary>Weights in 16-bit floats: Cast. Those beyond the range stay as they are.</summary>
    /// <param name="node">A node that reads them.</param>
    /// <param name="weights">The weights; nodes are added where they are, so that what bodies share is unpacked once.</param>
    public static Value OfHalves(Node node, Value weights)
    {
        var (tensor, graph) = (weights.Constant!, weights.Graph);
        if (tensor.ElementType != ElementType.Float || !(TensorPrimitives.MaxMagnitude(tensor.Span<float>()) <= LargestHalf))
            return weights;
        var cast = graph.AddNode("Cast", [graph.AddInitializer(weights.Name + "_h", Halves(tensor))], [weights.Name + "_f"]);
        cast.Attributes["to"] = (long)ElementType.Float;
        cast.Sources = node.Sources;
        cast.Output.Type = tensor.Type;
        return cast.Output;
    }

    /// <summary>Weights in blocks of 4 bits: Cast, Sub, Mul, and Reshape (and Slice) where the blocks have an axis of their own.</summary>
    /// <param name="node">A node that reads them.</param>
    /// <param name="weights">The weights; nodes are added where they are.</param>
    /// <param name="layout">How they fall into blocks.</param>
    /// <param name="codes">Integers, UInt4.</param>
    /// <param name="scales">Scales, Float or Float16.</param>
    /// <param name="zeros">Zero points, UInt4.</param>
    public static Value OfBlocks(Node node, Value weights, BlockLayout layout, Tensor codes, Tensor scales, Tensor zeros)
    {
        var graph = weights.Graph;
        var type = weights.Constant!.Type;
        // Short names: each is written several times, and small models are mostly names. They follow from the node alone, whatever other layers do.
        var name = $"w{node.Id}";
        var unpacked = Add("Sub", Floats(graph.AddInitializer(name + "q", codes)), Floats(graph.AddInitializer(name + "z", zeros)));
        var stored = graph.AddInitializer(name + "s", scales);
        var scaled = Add("Mul", unpacked, scales.ElementType == ElementType.Float ? stored : Floats(stored));
        if (layout.Blocks > 1)
        {
            if (layout.IsPadded)
            {
                var (padded, axis, length) = layout.Padded;
                scaled = Add("Slice", Add("Reshape", scaled, Sizes(padded)), Sizes(0), Sizes(length), Sizes(axis));
            }
            scaled = Add("Reshape", scaled, Sizes(type.StaticShape!));
        }
        scaled.Type = TensorType.Of(ElementType.Float, type.StaticShape!);
        return AsGiven(node, weights, scaled);

        Value Add(string op, params ReadOnlySpan<Value> inputs)
        {
            var added = graph.AddNode(op, inputs.ToArray(), [name]);
            added.Sources = node.Sources;
            return added.Output;
        }

        Value Floats(Value value)
        {
            var floats = Add("Cast", value);
            floats.Producer!.Attributes["to"] = (long)ElementType.Float;
            return floats;
        }

        Value Sizes(params ReadOnlySpan<long> sizes) => graph.AddInitializer(name + "n", Tensor.Of(sizes.ToArray(), sizes.Length));
    }
}
