using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Weights fitted layer by layer bring real quantized models nearer to the originals than biases alone, on data that nothing was taken of.</summary>
public sealed class RefitTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("kws_dscnn", "int8(mse)+weights-int8", 96, 0.5)]
    [InlineData("mobilenet_v1_025", "int8(mse)+weights-int8", 64, 2)]
    public void Fitted_weights_are_nearer_than_corrected_biases(string name, string recipe, int samples, double gain)
    {
        var subject = RepairSubject.Open(name, samples);
        var (plain, corrected, fitted) = (subject.Plan(recipe), subject.Plan(recipe + "+bias-correction"), subject.Plan(recipe + "+refit"));
        var plan = (RefitPlan)fitted.Plan.Steps[^1].Plan;
        var (before, biases, after) = (subject.Sqnr(plain.Model, 100), subject.Sqnr(corrected.Model, 100), subject.Sqnr(fitted.Model, 100));
        output.WriteLine($"{name} {recipe}: {before:0.0} dB, {biases:0.0} with corrected biases, {after:0.0} fitted; {plan.Layers.Count} layers, "
            + $"{plan.Layers.Count(l => l.Weights is not null)} with other weights");
        Assert.True(after > biases + gain, $"{biases} dB with corrected biases, {after} dB fitted");
        // Integers stay integers of the same scales: the file keeps its form.
        Assert.Equal(Forms(plain.Model), Forms(fitted.Model));
        Assert.Equal(Scales(plain.Model), Scales(fitted.Model));
        Assert.All(plan.Layers.Where(l => l.Weights is not null), l => Assert.Equal(ElementType.Int8, l.Weights!.Value.ElementType));
        subject.AppliesTheSameElsewhere(fitted);
    }

    /// <summary>What is struck leaves the others as they are.</summary>
    [SkippableFact]
    public void A_layer_can_be_struck()
    {
        var subject = RepairSubject.Open("kws_dscnn", 32);
        var plan = (RefitPlan)subject.Plan("int8(mse)+refit").Plan.Steps[^1].Plan;
        var left = (RefitPlan)plan.Without(plan.Layers[0].Layer.Key, subject.Source.Simplified!)!;
        Assert.Equal(plan.Layers.Skip(1), left.Layers);
    }

    [SkippableFact]
    public void Without_samples_to_hold_out_nothing_is_fitted() =>
        Assert.Single(RepairSubject.Open("cifar_resnet20", 3).Plan("int8(mse)+refit").Plan.Steps);

    private static List<string> Forms(Model model) =>
        [.. model.Graph.Initializers.Where(i => i.Constant!.ElementType == ElementType.Int8).Select(i => string.Join("x", i.Constant!.Shape)).Order(StringComparer.Ordinal)];

    private static SortedSet<float> Scales(Model model) => [.. model.Nodes.Where(n => n.Is("DequantizeLinear") && n.Inputs[0]!.Constant?.ElementType == ElementType.Int8)
        .SelectMany(n => n.Inputs[1]!.Constant!.ToArray<float>())];
}
