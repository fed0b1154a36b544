namespace ModelBuild.Onnx.Tests;

/// <summary>Random inputs for models, with sizes for their named dimensions.</summary>
internal static class RandomInputs
{
    public static Dictionary<string, Tensor> Of(Model model, int seed, Func<Value, int, long> sizeOf)
    {
        var random = new Random(seed);
        var inputs = new Dictionary<string, Tensor>();
        foreach (var input in model.Graph.Inputs.Where(i => i.Constant is null))
        {
            var type = input.Type!;
            long[] shape = [.. type.Shape.Select((d, i) => d.IsConstant ? d.Value : sizeOf(input, i))];
            var values = new double[Tensor.Count(shape)];
            for (var i = 0; i < values.Length; i++)
                values[i] = ElementTypes.IsFloat(type.ElementType) ? random.NextDouble() * 2 - 1 : random.Next(0, 20);
            inputs[input.Name] = Numbers.Of(type.ElementType, [.. shape], values);
        }
        return inputs;
    }
}
