using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Real models with matrices as products of thin ones.</summary>
public sealed class LowRankTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("own_mnist_vit", 0.5, 14)]
    [InlineData("own_mnist_mlp", 0.5, 30)]
    [InlineData("minilm_l3", 0.5, 8)]
    [InlineData("cifar_resnet20", 0.8, 7)]
    [InlineData("mobilenet_v2", 0.8, 6)]
    public void Factors_for_what_layers_read_are_nearer_than_those_of_the_weights(string name, double share, double least)
    {
        var subject = RepairSubject.Open(name, 256);
        var (whitened, plain) = (subject.Plan($"low-rank({share})"), subject.Plan($"low-rank({share},plain)"));
        var plan = (LowRankPlan)whitened.Plan.Steps[0].Plan;
        Assert.True(plan.RestsOnData);
        Assert.False(((LowRankPlan)plain.Plan.Steps[0].Plan).RestsOnData);
        var (near, far) = (subject.Sqnr(whitened.Model, 100), subject.Sqnr(plain.Model, 100));
        output.WriteLine($"{name}: {near:0.0} dB, {far:0.0} by the weights alone; {Parameters(whitened.Model) / Parameters(subject.Source.Simplified!):0.000} of the parameters");
        Assert.True(near > far + 2 && near > least);
        // Of the layers that can be factored; the others have little.
        Assert.InRange(Parameters(whitened.Model) / Parameters(subject.Source.Simplified!), share - 0.1, share + 0.1);
        foreach (var layer in plan.Layers)
        {
            var node = whitened.Model.Nodes.Single(n => n.Key == layer.Layer.Key);
            var isConv = node.Is("Conv");
            Assert.Equal(isConv ? "Conv" : "MatMul", node.Inputs[0]!.Producer!.OpType);
            Assert.Equal(layer.First.Value.Shape[isConv ? 0 : 1], node.Inputs[0]!.Type!.Shape[isConv ? 1 : ^1].Value);
        }
        subject.AppliesTheSameElsewhere(whitened);
    }

    /// <summary>What is struck is whole again; fewer channels, thin matrices and integers go together, and what is fitted is nearer.</summary>
    [SkippableFact]
    public void It_composes()
    {
        var subject = RepairSubject.Open("own_mnist_mlp", 256);
        var planned = subject.Plan("low-rank(0.5)");
        var key = planned.Plan.Steps[0].Plan.Decisions.First().Key;
        var struck = subject.Pipeline.Apply(subject.Pipeline.Strike(planned.Plan, 0, key)).Model;
        Assert.Equal(subject.Source.Simplified!.Nodes.Single(n => n.Key == key).Inputs[1]!.Constant!.Shape.ToArray(),
            struck.Nodes.Single(n => n.Key == key).Inputs[1]!.Constant!.Shape.ToArray());
        var fitted = subject.Plan("low-rank(0.5)+refit");
        Assert.True(subject.Sqnr(fitted.Model, 200) >= subject.Sqnr(planned.Model, 200));
        var all = subject.Plan("prune-filters(0.2)+low-rank(0.7)+refit+int8");
        Assert.Equal(4, all.Plan.Steps.Count);
        Assert.True(subject.Sqnr(all.Model, 200) > 10);
        subject.AppliesTheSameElsewhere(all);
    }

    /// <summary>A matrix of zeros has no direction, whether data or the weights alone are asked.</summary>
    [Fact]
    public void Weights_of_zeros_stay()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var x = model.Graph.AddInput("x", TensorType.Of(ElementType.Float, 4, 64));
        var none = model.Graph.AddNode("MatMul", [x, model.Graph.AddInitializer("w", Tensor.Of(new float[64 * 64], 64, 64))], ["h"]);
        var some = model.Graph.AddNode("MatMul", [none.Output, model.Graph.AddInitializer("v", Tensor.Of(Nets.Noise(64 * 64, 1), 64, 64))], ["y"]);
        model.Graph.AddOutput(some.Output);
        ShapeInference.Run(model);
        var pipeline = new Compression.Planning.Pipeline(new TechniqueRegistry(), model, null);
        var plan = (LowRankPlan)pipeline.TryPlan(Recipe.Parse("low-rank(0.5)"), RepairSubject.Profile,
            new Backends.OnnxRuntimeCosts(Backends.CostTable.Load("avx512vnni"), new Dictionary<string, long>()))!.Plan.Steps[0].Plan;
        Assert.Equal([some.Key], plan.Layers.Select(static l => l.Layer.Key));
        Assert.False(plan.RestsOnData);
        Assert.Contains("multiplies by 0", plan.Kept[none.Key]);
    }

    [Theory]
    [InlineData("low-rank", "MDLB0032")]
    [InlineData("low-rank(2)", "MDLB0032")]
    [InlineData("int8+low-rank(0.5)", "MDLB0033")]
    public void What_makes_no_sense_is_refused(string recipe, string code) =>
        Assert.Equal(code, Assert.Throws<CompressionException>(() => new TechniqueRegistry().Check(Recipe.Parse(recipe))).Code);

    private static double Parameters(Model model) =>
        model.Nodes.Where(static n => n.OpType is "Conv" or "MatMul" or "Gemm").Sum(static n => (double)(n.Inputs[1]!.Constant?.Length ?? 0));
}
