using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>
/// VPMADDUBSW multiplies unsigned by signed bytes and adds two neighbouring products in 16 bits, which saturate. On profiles that have nothing better, no pair
/// of products of any artifact may.
/// </summary>
public sealed class SaturationTests(ITestOutputHelper output)
{
    /// <summary>A product of integers: its activations, its weights, and along which axis of them it sums.</summary>
    private sealed record Product(Node Node, Value Activations, Tensor Weights, int[] SumAxes);

    [SkippableTheory, Trait("Tier", "Ci")]
    [InlineData("cifar_resnet20", "int8(mse)")]
    [InlineData("kws_dscnn", "int8(minmax)")]
    [InlineData("own_mnist_mlp", "int8(mse)")]
    [InlineData("own_mnist_lstm", "dynamic-int8")]
    [InlineData("own_mnist_lstm", "dynamic-int8(per-tensor)")]
    [InlineData("own_mnist_vit", "dynamic-int8+weights-int8")]
    [InlineData("yunet", "int8(mse)+bias-correction")]
    [InlineData("silero_vad", "int8(mse)")]
    public void No_pair_of_products_saturates_without_VNNI(string name, string recipe)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!.Subset([0, 1, 2, 3]);
        Model Made(string profile) => new Compression.Planning.Pipeline(new TechniqueRegistry(), source.Simplified!,
            (model, _, names) => Calibrator.Run(model, data, names, 1), layers: new(data, new()))
            .TryPlan(Recipe.Parse(recipe), BuiltInProfiles.Get(profile), new OnnxRuntimeCosts(CostTable.Load("avx2"), new Dictionary<string, long>()))!.Model;

        foreach (var profile in new[] { "x64-avx2", "portable", "x64-avx512" })
        {
            var products = Products(Made(profile)).ToList();
            Assert.NotEmpty(products);
            // Whichever two weights a kernel puts side by side, and whatever they are multiplied by.
            foreach (var product in products)
                Assert.True(2 * 255 * Largest(product.Weights) <= short.MaxValue, $"{profile}: {product.Node.Output.Name}");
            output.WriteLine($"{profile}: {products.Count} products, largest weight {products.Max(p => Largest(p.Weights))}");
        }
        // The check can fail: with VNNI nothing is added in 16 bits, and weights have all their 8.
        Assert.Contains(Products(Made("x64-avx512vnni")), p => 2 * 255 * Largest(p.Weights) > short.MaxValue);
    }

    [SkippableTheory, Trait("Tier", "Ci")]
    [InlineData("own_mnist_mlp")]
    [InlineData("autoencoder")]
    public void Nor_do_those_of_recorded_activations(string name)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!.Subset([.. Enumerable.Range(0, 16)]);
        var pipeline = new Compression.Planning.Pipeline(new TechniqueRegistry(), source.Simplified!, (model, _, names) => Calibrator.Run(model, data, names, 1));
        (int Largest, long Pairs) Simulated(string profile)
        {
            var model = pipeline.TryPlan(Recipe.Parse("int8(mse)"), BuiltInProfiles.Get(profile),
                new OnnxRuntimeCosts(CostTable.Load("avx2"), new Dictionary<string, long>()))!.Model.Clone();
            var products = Products(model).ToList();
            foreach (var product in products)
                if (!product.Activations.IsGraphOutput)
                    model.Graph.AddOutput(product.Activations);
            using var runner = OnnxRuntimeRunner.Unoptimized(model, 1);
            var (largest, pairs) = (0, 0L);
            foreach (var sample in data.Samples())
            {
                var given = runner.Run(sample.Inputs);
                foreach (var product in products)
                {
                    var x = given[product.Activations.Name].Span<byte>();
                    var w = product.Weights.Span<sbyte>();
                    var axis = Assert.Single(product.SumAxes);
                    var (k, n) = ((int)product.Weights.Shape[axis], (int)product.Weights.Shape[1 - axis]);
                    for (var row = 0; row < x.Length / k; row++)
                        for (var c = 0; c < n; c++)
                            for (var i = 0; i + 1 < k; i += 2, pairs++)
                                largest = Math.Max(largest, Math.Abs(x[row * k + i] * w[At(i, c)] + x[row * k + i + 1] * w[At(i + 1, c)]));
                    int At(int i, int c) => axis == 0 ? i * n + c : c * k + i;
                }
            }
            return (largest, pairs);
        }

        var narrow = Simulated("x64-avx2");
        var full = Simulated("x64-avx512vnni");
        output.WriteLine($"{narrow.Pairs} pairs: {narrow.Largest} at most with 7 bits, {full.Largest} with 8");
        Assert.InRange(narrow.Largest, 1, short.MaxValue);
        // As many pairs of the same data: in 8 bits they come to about twice as much.
        Assert.Equal(narrow.Pairs, full.Pairs);
        Assert.True(full.Largest > 1.5 * narrow.Largest, $"{full.Largest}");
    }

    private static int Largest(Tensor weights)
    {
        var largest = 0;
        foreach (var w in weights.Span<sbyte>())
            largest = Math.Max(largest, Math.Abs((int)w));
        return largest;
    }

    /// <summary>What a runtime multiplies in integers: quantized activations by constant integers.</summary>
    private static IEnumerable<Product> Products(Model model)
    {
        foreach (var node in model.Nodes)
            switch (node.OpType)
            {
                case "MatMulInteger":
                    yield return new(node, node.Inputs[0]!, node.Inputs[1]!.Constant!, [0]);
                    break;
                case "DynamicQuantizeLSTM" or "DynamicQuantizeGRU":
                    yield return new(node, node.Inputs[0]!, node.Inputs[1]!.Constant!, [1]);
                    yield return new(node, node.Inputs[0]!, node.Inputs[2]!.Constant!, [1]);
                    break;
                case "Conv" or "Gemm" or "MatMul" when node.Inputs[0]!.Producer is { OpType: "DequantizeLinear" } x
                    && node.Inputs[1]!.Producer is { OpType: "DequantizeLinear" } w && w.Inputs[0]!.Constant is { ElementType: ElementType.Int8 } weights:
                    yield return new(node, x.Inputs[0]!, weights, node.Is("Conv") ? [.. Enumerable.Range(1, weights.Rank - 1)]
                        : [node.Is("Gemm") && node.Int("transB") == 1 ? 1 : 0]);
                    break;
            }
    }
}
