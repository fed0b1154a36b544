namespace ModelBuild.Onnx.Tests;

/// <summary>The shared models, with inputs that each can take.</summary>
internal static class Zoo
{
    public static TheoryData<string> Names => [.. Shared.ZooModels.DefaultIfEmpty("absent")];

    public static string PathOf(string model) => Shared.Path($"zoo/{model}/model.onnx");

    /// <summary>Inputs of small sizes that the model answers with more than its rounding errors.</summary>
    public static Dictionary<string, Tensor> Inputs(string name, Model model)
    {
        var inputs = Noise(name, model);
        if (name == "ppocr_det")
            inputs["x"] = Strokes();
        return inputs;
    }

    /// <summary>Random inputs of small sizes: none lies on a tie of rounding to integers.</summary>
    public static Dictionary<string, Tensor> Noise(string name, Model model)
    {
        var inputs = RandomInputs.Of(model, 7, (input, axis) => (name, axis) switch
        {
            ("ppocr_rec", 3) => 64,
            ("ppocr_det" or "ppocr_cls", 2) => 64,
            ("ppocr_det" or "ppocr_cls", 3) => 96,
            ("nnsplit", 1) => 20,
            ("resemblyzer", 1) => 16,
            ("silero_vad", 1) => input.Name == "input" ? 512 : 1,
            (_, 0) => 1,
            _ => 9,
        });
        if (name == "silero_vad")
            inputs["sr"] = Tensor.Scalar(16000L);
        if (name == "minilm_l3")
            inputs["attention_mask"] = Tensor.Of(Enumerable.Repeat(1L, 9).ToArray(), 1, 9);
        return inputs;
    }

    /// <summary>Dark strokes on white, which a text detector takes for text: on noise it answers with nothing but the rounding errors of its last
    /// sigmoid.</summary>
    private static Tensor Strokes()
    {
        var pixels = new float[3 * 64 * 96];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (x, y) = (i % 96, i / 96 % 64);
            pixels[i] = x is > 8 and < 88 && y is > 20 and < 44 && (x / 3 % 2 == 0 || y is > 30 and < 34) ? -2 : 2;
        }
        return Tensor.Of(pixels, 1, 3, 64, 96);
    }

    /// <summary>The largest difference of two results over the largest absolute value of the first; infinite where types, shapes, NaNs or infinities
    /// differ.</summary>
    /// <param name="expected">The one.</param>
    /// <param name="actual">The other.</param>
    /// <param name="floor">What the largest absolute value counts at least.</param>
    public static double Difference(Tensor expected, Tensor actual, double floor = 0)
    {
        if (expected.ElementType != actual.ElementType || !expected.Shape.SequenceEqual(actual.Shape))
            return double.PositiveInfinity;
        double difference = 0, scale = floor;
        foreach (var (e, a) in Numbers.Doubles(expected).Zip(Numbers.Doubles(actual)))
        {
            if (!e.Equals(a))
                difference = Math.Max(difference, double.IsNaN(e - a) ? double.PositiveInfinity : Math.Abs(e - a));
            if (double.IsFinite(e))
                scale = Math.Max(scale, Math.Abs(e));
        }
        return difference == 0 ? 0 : difference / scale;
    }
}
