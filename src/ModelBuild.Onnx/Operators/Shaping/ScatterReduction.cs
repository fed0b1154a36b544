namespace ModelBuild.Onnx.Operators;

/// <summary>What becomes of an element that an update meets.</summary>
internal static class ScatterReduction
{
    /// <summary>The data with updates at positions, in order, combined by a reduction (none, add, mul, min, max).</summary>
    public static Tensor Apply(Tensor data, int[] positions, Tensor updates, string reduction)
    {
        if (reduction == "none")
            return Elements.Scatter(data, positions, updates);
        if (ElementTypes.IsFloat(data.ElementType))
        {
            var (values, changes) = (Numbers.Doubles(data), Numbers.Doubles(updates));
            for (var i = 0; i < positions.Length; i++)
            {
                ref var v = ref values[positions[i]];
                v = reduction switch { "add" => v + changes[i], "mul" => v * changes[i], "max" => Math.Max(v, changes[i]), "min" => Math.Min(v, changes[i]),
                    _ => throw Unknown(reduction) };
            }
            return Numbers.Of(data.ElementType, data.Shape, values);
        }
        var (integers, deltas) = (Numbers.Integers(data), Numbers.Integers(updates));
        for (var i = 0; i < positions.Length; i++)
        {
            ref var v = ref integers[positions[i]];
            v = reduction switch { "add" => unchecked(v + deltas[i]), "mul" => unchecked(v * deltas[i]), "max" => Math.Max(v, deltas[i]),
                "min" => Math.Min(v, deltas[i]), _ => throw Unknown(reduction) };
        }
        return Numbers.Of(data.ElementType, data.Shape, integers);
    }

    private static InvalidOperationException Unknown(string reduction) => new($"unknown reduction '{reduction}'");
}
